import { connect, type Socket } from 'node:net';
import { Failure, reasonOf } from '../platform/failure.ts';

/** A destination that is already there. */
export interface DestinationThere {
  readonly host: string;
  readonly port: number;
  /** The key that it asks for. */
  readonly key: Uint8Array | null;
  /** How long it may be silent although something is expected of it, or take nothing. */
  readonly silenceMs?: number;
}

const CONNECT_MS = 5_000;

/** @throws Failure nobody listens there, or nobody answers. */
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
