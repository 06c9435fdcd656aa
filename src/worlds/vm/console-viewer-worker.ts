import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { HeartbeatAccount } from '../../observe/viewer/heartbeat-account.ts';
import { type ViewerWorkerData, viewerMethods } from '../../observe/viewer/viewer-methods.ts';
import { clockNs } from '../../platform/clock.ts';
import { serve } from '../../platform/worker-thread.ts';
import { TICK_NS } from './boot/memory-layout.ts';

/**
 * The client of a machine: what the guest writes to its debug console arrives here, byte by byte, over a connection
 * from each end's QEMU. To the client it is one stream: a heartbeat that was begun at the source may end at the
 * destination. Number and lateness in ticks, 32 bits each.
 */
const HEARTBEAT_BYTES = 8;

const { host, token, periodNs } = workerData as ViewerWorkerData;
const account = new HeartbeatAccount(periodNs);
const connections: Socket[] = [];
let begun = Buffer.alloc(0);
const server = createServer((socket) => {
  connections.push(socket);
  socket.on('error', () => {});
  socket.on('data', take);
});

async function listen(): Promise<number> {
  await once(server.listen(0, host), 'listening');
  return (server.address() as AddressInfo).port;
}

function take(bytes: Buffer): void {
  const atNs = clockNs();
  const all = Buffer.concat([begun, bytes]);
  const whole = all.length - (all.length % HEARTBEAT_BYTES);
  for (let at = 0; at < whole; at += HEARTBEAT_BYTES) {
    const latenessNs = all.readUInt32LE(at + 4) * TICK_NS;
    account.arrived({ token, number: all.readUInt32LE(at), latenessNs }, atNs);
  }
  begun = all.subarray(whole);
}

serve(viewerMethods(account, listen, () => connections[0]?.destroy()));
