import type { Socket } from 'node:net';
import { Failure } from '../platform/failure.ts';

/** Enough to tell a handshake of TLS, a frame, and what is neither. */
const HEAD_BYTES = 8;

/** The first bytes of a connection, which stay there to be read. @throws Error the other end hung up */
export function headOf(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const head: Buffer | null = socket.read(HEAD_BYTES);
      if (head === null) return;
      if (head.length < HEAD_BYTES) return reject(hungUp());
      socket.off('readable', look);
      socket.unshift(head);
      resolve(head);
    };
    socket.on('readable', look);
    socket.once('error', reject);
    socket.once('close', () => reject(hungUp()));
  });
}

/** The same of a source that has so long for them. @throws Failure it has not sent them, and the connection has ended */
export async function headWithin(withinMs: number, socket: Socket): Promise<Buffer> {
  let late: string | undefined;
  const timer = setTimeout(() => {
    late = `unauthenticated for ${withinMs / 1000} s`;
    socket.destroy();
  }, withinMs);
  try {
    return await headOf(socket);
  } catch (cause) {
    throw new Failure(late ?? (cause as Error).message);
  } finally {
    clearTimeout(timer);
  }
}

/** As Node says it of a handshake. */
function hungUp(): Error {
  return Object.assign(new Error('the other end hung up'), { code: 'ECONNRESET' });
}
