import type { Nanos } from '../core/units.ts';
import type { Configuration } from './configuration.ts';

/** What the thread of the API knows of the configuration; a reload changes it. */
export interface ApiSettings {
  readonly name: string;
  /** Where guests arrive, HOST:PORT. */
  readonly receives: string;
  /** What changing calls must bring; undefined: none is asked for. */
  readonly apiKey: string | undefined;
  /** Names under which the API answers besides addresses and localhost. */
  readonly apiHosts: readonly string[];
  /** The certificate of HTTPS; undefined: HTTP. */
  readonly apiTls: Configuration['apiTls'];
  readonly targetDowntimeNs: Nanos;
  readonly peers: readonly { readonly name: string; readonly address: string }[];
}
