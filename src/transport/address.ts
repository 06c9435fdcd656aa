import { usageError } from '../platform/problem.ts';
import type { Credentials } from './credentials.ts';

/** A running destination. */
export interface DestinationThere extends Credentials {
  readonly host: string;
  readonly port: number;
  /** The name or address that its certificate must be for, if it is reached by another one. */
  readonly certifiedHost?: string;
  /** How long it may be silent when it should answer, or accept no data. */
  readonly silenceMs?: number;
}

/** `host:port`, `[::1]:port`. */
export function formatAddress({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The reverse. @throws UsageError anything else. */
export function parseAddress(text: string, flag: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw usageError(flag, 'HOST:PORT', text);
  return { host: match[1] ?? match[2]!, port };
}
