import { createServer } from 'node:net';

/**
 * The other process of the bare copy: puts what arrives into memory that it has touched before, as a destination
 * does, and says when it has seen the end. No frames, no checksums.
 */
const memory = Buffer.from(new SharedArrayBuffer(Number(process.argv[2]))).fill(0);
const server = createServer((socket) => {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.copy(memory, bytes);
  });
  socket.on('end', () => {
    process.send!(bytes);
    server.close();
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port));
