import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Encryption, notEncrypted } from '../core/link/encryption.ts';
import { type Credentials, encryptionKind } from './credentials.ts';

/** How this connection is encrypted. */
export function encryptionOf(socket: Socket, credentials: Credentials): Encryption {
  if (!(socket instanceof TLSSocket)) return notEncrypted;
  const kind = encryptionKind(credentials);
  return { kind, protocol: socket.getProtocol(), cipher: socket.getCipher().standardName };
}
