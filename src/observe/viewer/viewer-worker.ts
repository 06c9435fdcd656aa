import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { workerData } from 'node:worker_threads';
import { clockNs } from '../../platform/clock.ts';
import { serve } from '../../platform/worker-thread.ts';
import { decodeHeartbeat } from './heartbeat.ts';
import { HeartbeatAccount } from './heartbeat-account.ts';
import { type ViewerWorkerData, viewerMethods } from './viewer-methods.ts';

/** The guest's client: a thread with a UDP socket, so that nothing else of the run can delay its clock. */
const { host, token, periodNs } = workerData as ViewerWorkerData;
const account = new HeartbeatAccount(periodNs);
const socket = createSocket('udp4');

socket.on('message', (bytes) => {
  const heartbeat = decodeHeartbeat(bytes);
  if (heartbeat?.token === token) account.arrived(heartbeat, clockNs());
});

async function listen(): Promise<number> {
  await once(socket.bind(0, host), 'listening');
  return socket.address().port;
}

serve(viewerMethods(account, listen));
