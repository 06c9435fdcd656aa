import { createSocket } from 'node:dgram';
import { workerData } from 'node:worker_threads';
import { clockNs } from '../../platform/clock.ts';
import { decodeHeartbeat } from './heartbeat.ts';
import { HeartbeatAccount } from './heartbeat-account.ts';
import { serveViewer, type ViewerWorkerData } from './viewer-protocol.ts';

/** The guest's client: a thread with a UDP socket, so that nothing else of the run can delay its clock. */
const { host, token, periodNs } = workerData as ViewerWorkerData;
const account = new HeartbeatAccount(periodNs);
const socket = createSocket('udp4');
const viewer = serveViewer(account);

socket.on('message', (bytes) => {
  const heartbeat = decodeHeartbeat(bytes);
  if (heartbeat?.token === token) account.arrived(heartbeat, clockNs());
});
socket.on('error', (error) => viewer.failed(error.message));
socket.bind(0, host, () => viewer.listening(socket.address().port));
