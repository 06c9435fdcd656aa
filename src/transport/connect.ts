import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Failure, reasonOf } from '../platform/failure.ts';
import { type DestinationThere, formatAddress } from './address.ts';
import { whySourceFailed } from './tls-errors.ts';
import { sourceTls } from './tls-options.ts';

const CONNECT_MS = 5_000;

/**
 * A connection to a destination, encrypted if that is asked for: the destination has proved by then that it has the key
 * or a certificate for its name.
 * @throws Failure no destination listens there, it does not answer, or the two ends do not agree
 */
export function connected(to: DestinationThere): Promise<Socket> {
  const { host, port, certifiedHost = host, silenceMs = CONNECT_MS } = to;
  const tls = sourceTls(to, certifiedHost);
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, ...tls }) : connect({ host, port });
    const timeoutMs = Math.min(silenceMs, CONNECT_MS);
    let isReached = false;
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const refused = (error: Error) => {
      clearTimeout(timer);
      if (isReached) reject(new Failure(`${formatAddress(to)}: ${whySourceFailed(error, to)}`));
      else reject(new Failure(`no destination at ${host}:${port}: ${reasonOf(error)}`));
    };
    socket.once('error', refused);
    socket.once('connect', () => {
      isReached = true;
    });
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}
