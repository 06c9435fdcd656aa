import type { Encryption } from '../core/link/encryption.ts';
import { WireError } from '../core/wire/frames.ts';
import { reasonOf } from '../platform/failure.ts';
import { type Credentials, encryptionKind } from './credentials.ts';

type TlsError = Error & { readonly code?: string; readonly reason?: string };

/** Of the error with which a source that has a key refuses a destination with a certificate. */
export const CERTIFICATE_FOR_KEY = 'ERR_CERTIFICATE_FOR_KEY';

const wrongKey = 'wrong key: source and destination have different keys';

/** What to do where one end has a key and the other certificates. */
const same = 'give both ends the same key, or certificates to both';

/** Why a source got no encrypted connection, and what to do. */
export function whySourceFailed(cause: unknown, credentials: Credentials): string {
  const { code = '', reason } = cause as TlsError;
  const kind = encryptionKind(credentials);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return `the destination does not encrypt, and this source does: ${plainRemedy(kind)}`;
  }
  if (kind === 'psk') {
    if (code === 'ERR_SSL_SSLV3_ALERT_ILLEGAL_PARAMETER') return wrongKey;
    if (code === CERTIFICATE_FOR_KEY || isOfVerification(code))
      return `the destination has a certificate, and this source a key: ${same}`;
  }
  if (code === 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE')
    return `the destination has no certificate, and this source has one: ${same}`;
  if (code === 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR')
    return 'the destination accepts no more connections now; its log says why';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the destination's certificate is for another host (${reason}): use a name that it is for, or issue another`;
  if (isOfVerification(code)) return untrusted('destination', code);
  if (code === 'ECONNRESET') return 'the destination hung up during the TLS handshake; its log says why';
  return `no encrypted connection: ${reason ?? reasonOf(cause)}`;
}

/** Why a destination got no encrypted connection from a source, and what to do. */
export function whyDestinationFailed(cause: unknown): string {
  const { code, reason } = cause as TlsError;
  switch (code) {
    case 'ERR_SSL_BINDER_DOES_NOT_VERIFY':
      return wrongKey;
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
      return `the source has no key, and this destination has one: ${same}`;
    case 'ECONNRESET':
      return 'the source hung up during the TLS handshake';
    default:
      return `no encrypted connection: ${reason ?? reasonOf(cause)}`;
  }
}

/** An error of a connection, in words where it is one of TLS: OpenSSL's own are made for those who read its source. */
export function readableTlsError(error: TlsError): Error {
  const { code = '', reason } = error;
  if (!code.startsWith('ERR_SSL_')) return error;
  if (code.endsWith('BAD_RECORD_MAC')) return new WireError('the encrypted stream was changed on its way');
  return new WireError(`the encrypted stream broke: ${reason}`);
}

/** Of a peer's certificate that was refused. @param code OpenSSL's name of the reason */
export function untrusted(peer: 'source' | 'destination', code: string): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `the ${peer}'s certificate has expired: renew it`;
    case 'CERT_NOT_YET_VALID':
      return `the ${peer}'s certificate is not valid yet: compare the clocks of both hosts`;
    default:
      return `the ${peer}'s certificate is not trusted (${code}): this end has another authority; give both the same`;
  }
}

/** A source that does not encrypt has come to a destination that does. */
export function plainSource(kind: Encryption['kind']): string {
  return `the source does not encrypt, and this destination does: ${plainRemedy(kind)}`;
}

function plainRemedy(kind: Encryption['kind']): string {
  return kind === 'psk' ? 'give both the same key, or turn TLS off at both' : 'give certificates to both';
}

/** Whether it is one of OpenSSL's names, such as CERT_HAS_EXPIRED, and not one of Node's or the system's. */
function isOfVerification(code: string): boolean {
  return code !== '' && !/^E(RR_|AI_|[A-Z]+$)/.test(code);
}
