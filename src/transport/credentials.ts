import { type Encryption, formatEncryptionKind } from '../core/link/encryption.ts';

/** PEM texts: the end's own certificate with its private key, and the authorities that sign those of other ends. */
export interface Certificates {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** By what an end proves who it is, and what its connections are encrypted from. */
export interface Credentials {
  /** The key that both ends share; null: none. */
  readonly key: Uint8Array | null;
  /** Certificates to encrypt from instead of the key; `off`: nothing is encrypted, although there is a key. */
  readonly tls?: Certificates | 'off' | undefined;
}

/** What these credentials ask for. Both ends must ask for the same: nothing is negotiated, so nothing is downgraded. */
export function encryptionKind({ key, tls }: Credentials): Encryption['kind'] {
  if (tls === 'off') return 'none';
  if (tls) return 'certificate';
  return key ? 'psk' : 'none';
}

/** The key that frames must prove. Where the connection is encrypted from the key, the handshake has proved it. */
export function keyToProve(credentials: Credentials): Uint8Array | null {
  return encryptionKind(credentials) === 'psk' ? null : credentials.key;
}

/** Whether an end that has begun with the one can go on with the other: it asks for the same, by other secrets. */
export function isRenewal(before: Credentials, after: Credentials): boolean {
  const hasKey = ({ key }: Credentials) => key !== null;
  return encryptionKind(before) === encryptionKind(after) && hasKey(before) === hasKey(after);
}

/** What is said of it beside the address where it listens: nothing, where nothing was asked for. */
export function encryptionRemark(credentials: Credentials): string {
  const { key, tls } = credentials;
  return key === null && tls === undefined ? '' : ` (${formatEncryptionKind(encryptionKind(credentials))})`;
}
