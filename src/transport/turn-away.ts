import type { Socket } from 'node:net';

const TURNED_AWAY_MS = 1_000;

/** Says a last word and hangs up, without waiting for what the other end has to say. */
export function turnAway(socket: Socket, lastWord: Uint8Array): void {
  socket.on('error', () => {});
  socket.resume().end(lastWord);
  const linger = setTimeout(() => socket.destroy(), TURNED_AWAY_MS);
  socket.once('close', () => clearTimeout(linger));
}
