import { receivingServer } from '../src/transport/receiving-server.ts';

/** The other process of the plain sockets: reads what comes over all connections in place, and says when so many bytes have come. */
let left = Number(process.argv[2]);
const server = receivingServer(64, false, new Set(), (socket) => {
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left <= 0) process.send!('arrived');
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port));
process.once('disconnect', () => process.exit());
