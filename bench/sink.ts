import { createServer } from 'node:net';

/** The other process of the bare copy: reads everything, keeps nothing, says when it has seen the end. */
const server = createServer((socket) => {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('end', () => {
    process.send!(bytes);
    server.close();
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port));
