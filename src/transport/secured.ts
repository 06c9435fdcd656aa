import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { beginsTls } from '../core/wire/tls-records.ts';
import { Failure } from '../platform/failure.ts';
import { headOf } from './connection-head.ts';
import { type Credentials, encryptionKind } from './credentials.ts';
import { encodeFrame } from './frame-writer.ts';
import { plainSource, untrusted, whyDestinationFailed } from './tls-errors.ts';
import { destinationTls } from './tls-options.ts';
import { turnAway } from './turn-away.ts';

/**
 * A destination's end of a new connection, encrypted as these credentials ask for, once the source has proved itself. Where
 * they ask for nothing it is returned as it is.
 * @param withinMs the source has this long
 * @throws Failure why not; the source has been told, and the connection ends
 */
export async function secured(socket: Socket, credentials: Credentials, withinMs: number): Promise<Socket> {
  const options = destinationTls(credentials);
  if (!options) return socket;
  let late: string | undefined;
  const timer = setTimeout(() => {
    late = `unauthenticated for ${withinMs / 1000} s`;
    socket.destroy();
  }, withinMs);
  try {
    if (!beginsTls(await headOf(socket))) throw refusal(socket, plainSource(encryptionKind(credentials)));
    const within = await handshake(socket, options);
    if (options.requestCert && !within.authorized) throw refusal(within, whyUnauthorized(within));
    return within;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure(late ?? whyDestinationFailed(cause));
  } finally {
    clearTimeout(timer);
  }
}

/** A server for this connection alone, because Node's says only of a whole server's clients that one has failed. */
function handshake(socket: Socket, options: TlsOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    createServer(options, resolve).once('tlsClientError', reject).emit('connection', socket);
  });
}

function whyUnauthorized(within: TLSSocket): string {
  return within.getPeerX509Certificate()
    ? untrusted('source', String(within.authorizationError))
    : 'the source has no certificate, and this destination asks for one: give it one';
}

/** Tells the source, and hangs up. */
function refusal(socket: Socket, why: string): Failure {
  turnAway(socket, encodeFrame('abort', 0, Buffer.from(why)));
  return new Failure(why);
}
