import { connect, type Socket } from 'node:net';
import { Failure, reasonOf } from '../failure.ts';

const CONNECT_MS = 5_000;

/** @throws Failure nobody listens there, or nobody answers. */
export function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer in ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    const refused = (error: Error) => {
      clearTimeout(timer);
      reject(new Failure(`no destination at ${host}:${port}: ${reasonOf(error)}`));
    };
    socket.once('error', refused);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}
