import { constants, hkdfSync } from 'node:crypto';
import { type ConnectionOptions, checkServerIdentity, type TlsOptions } from 'node:tls';
import { type Certificates, type Credentials, encryptionKind } from './credentials.ts';
import { CERTIFICATE_FOR_KEY } from './tls-errors.ts';

/**
 * One protocol and one cipher, the only one that OpenSSL combines with a pre-shared key as Node gives it. A handshake from a
 * pre-shared key includes a Diffie-Hellman exchange (psk_dhe_ke): who learns the key later cannot decrypt what he recorded.
 */
const common = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const;

/** The key has no names: whoever has it may connect. */
const IDENTITY = 'switchover';

/** From a shared key, and for nothing else: the proofs without TLS are made from the key itself. */
function preSharedKey(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', 'switchover wire tls 1.3 psk', 32));
}

/**
 * @param host for which the destination's certificate must be
 * @returns undefined: plain
 */
export function sourceTls(credentials: Credentials, host: string): ConnectionOptions | undefined {
  switch (encryptionKind(credentials)) {
    case 'none':
      return undefined;
    case 'psk': {
      const psk = preSharedKey(credentials.key!);
      // No certificate will do, whoever has signed it.
      const refused = () => Object.assign(new Error('a certificate'), { code: CERTIFICATE_FOR_KEY });
      return {
        ...common,
        ...{ ca: [], checkServerIdentity: refused },
        pskCallback: () => ({ psk, identity: IDENTITY }),
      };
    }
    case 'certificate':
      return {
        ...common,
        ...(credentials.tls as Certificates),
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      };
  }
}

/** @returns undefined: plain */
export function destinationTls(credentials: Credentials): TlsOptions | undefined {
  // Sessions are not resumed, and so no tickets are needed.
  const server = { ...common, secureOptions: constants.SSL_OP_NO_TICKET };
  switch (encryptionKind(credentials)) {
    case 'none':
      return undefined;
    case 'psk': {
      const psk = preSharedKey(credentials.key!);
      return { ...server, pskCallback: (_, identity) => (identity === IDENTITY ? psk : null) };
    }
    case 'certificate':
      // Node would hang up on a source without a good certificate: it shall be told why, so we look at it ourselves.
      return {
        ...server,
        ...(credentials.tls as Certificates),
        requestCert: true,
        rejectUnauthorized: false,
      };
  }
}
