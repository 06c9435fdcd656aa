import { connect, type Socket } from 'node:net';
import { Failure, reasonOf } from '../platform/failure.ts';
import type { DestinationThere } from './address.ts';

const CONNECT_MS = 5_000;

/** @throws Failure no destination listens there, or it does not answer. */
export function connected({ host, port, silenceMs = CONNECT_MS }: DestinationThere): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timeoutMs = Math.min(silenceMs, CONNECT_MS);
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)),
      timeoutMs,
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
