import { createServer } from 'node:net';
import { clockNs } from '../src/platform/clock.ts';

/** The receiving process of the comparison: when did how many bytes arrive? Takes one connection, then says so. */
const instants: number[] = [];
const sizes: number[] = [];
const server = createServer((socket) => {
  socket.on('data', (chunk) => {
    instants.push(clockNs());
    sizes.push(chunk.length);
  });
  socket.on('error', () => {});
  socket.on('close', () => process.send!({ instants, sizes }, () => process.exit(0)));
});
server.listen(0, process.argv[2], () => process.send!((server.address() as { port: number }).port));
