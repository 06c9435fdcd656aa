import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** As much as our sender writes at once, and as many writes as it has under way. */
const PIECE_BYTES = 256 * 1024;
const PIECES = 8;

/** Bytes a second of plain sockets to a process that only counts: no frames, no checksums, no copies. */
export async function plainSocket(bytes: number, connections: number): Promise<number> {
  const pieces = Math.floor(bytes / connections / PIECE_BYTES);
  const sink = fork(new URL('./sink.js', import.meta.url), [String(pieces * PIECE_BYTES * connections)], {
    execArgv: [],
  });
  const [port] = (await once(sink, 'message')) as [number];
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const arrived = once(sink, 'message');
  const startedAt = process.hrtime.bigint();
  for (const socket of sockets) write(socket, pieces);
  await arrived;
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  for (const socket of sockets) socket.destroy();
  sink.disconnect();
  return (pieces * PIECE_BYTES * connections) / seconds;
}

/** Waits for no drain: the next piece is written as soon as one of those before it has been taken. */
function write(socket: Socket, pieces: number): void {
  const piece = Buffer.alloc(PIECE_BYTES, 1);
  let written = 0;
  const next = () => {
    if (written++ < pieces) socket.write(piece, next);
  };
  for (let i = 0; i < PIECES; i++) next();
}
