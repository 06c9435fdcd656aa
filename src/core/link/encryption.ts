/** How the connection between two hosts was protected. */
export interface Encryption {
  /** From what both ends authenticated each other and derived their session keys: a shared key (PSK), or certificates. */
  readonly kind: 'none' | 'psk' | 'certificate';
  /** Such as `TLSv1.3`; null: none. */
  readonly protocol: string | null;
  /** Such as `TLS_AES_128_GCM_SHA256`; null: none. */
  readonly cipher: string | null;
}

export const notEncrypted: Encryption = { kind: 'none', protocol: null, cipher: null };

const kinds = {
  none: 'not encrypted',
  psk: 'encrypted from the shared key',
  certificate: 'encrypted from certificates',
} as const satisfies Record<Encryption['kind'], string>;

/** Such as `encrypted from the shared key (TLSv1.3, TLS_AES_128_GCM_SHA256)`. */
export function formatEncryption({ kind, protocol, cipher }: Encryption): string {
  return kind === 'none' ? kinds.none : `${kinds[kind]} (${protocol}, ${cipher})`;
}

/** The same before there is a connection. */
export function formatEncryptionKind(kind: Encryption['kind']): string {
  return kinds[kind];
}
