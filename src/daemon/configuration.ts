import { dirname, resolve } from 'node:path';
import type { Bytes, BytesPerSecond, Nanos } from '../core/units.ts';
import { UsageError } from '../platform/problem.ts';
import { checked } from '../scenario/checked.ts';
import { guestDefinition } from '../scenario/migration-request.ts';
import { readYaml } from '../scenario/yaml-file.ts';
import type { DestinationThere } from '../transport/address.ts';
import { readKey } from '../transport/key-file.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { configurationSchema } from './configuration-schema.ts';

/** What a daemon is told by its file; every value resolved. */
export interface Configuration {
  readonly name: string;
  /** Where guests arrive. */
  readonly receive: { readonly host: string; readonly port: number; readonly key: Uint8Array | undefined };
  /** What changing calls must bring; undefined: whoever can reach the API may change things. */
  readonly apiKey: string | undefined;
  /** The folder of journals, guests and records. */
  readonly state: string;
  readonly drainNs: Nanos;
  readonly targetDowntimeNs: Nanos;
  readonly limits: {
    readonly guests: number;
    readonly guestMemoryBytes: Bytes;
    readonly runningMigrations: number;
    readonly runningExperiments: number;
    readonly waiting: number;
    readonly bodyBytes: Bytes;
  };
  readonly peers: ReadonlyMap<string, DestinationThere>;
  readonly links: ReadonlyMap<string, BytesPerSecond>;
  readonly guests: readonly GuestDefinition[];
}

/**
 * @throws Failure a file cannot be read
 * @throws UsageError all that is wrong with what it says
 */
export function loadConfiguration(path: string): Configuration {
  const document = checked(configurationSchema, readYaml(path) ?? {}, path);
  const problems: UsageError['problems'][number][] = [];
  /** A problem in one place does not hide the next. */
  const attempt = <T>(make: () => T): T | undefined => {
    try {
      return make();
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      problems.push(...cause.problems);
      return undefined;
    }
  };
  const beside = (other: string) => resolve(dirname(path), other);
  const keyOf = (other: string | undefined, where: string) =>
    other === undefined ? undefined : attempt(() => readKey(beside(other), where));
  const receiveKey = keyOf(document.receive.keyFile, 'receive.keyFile');
  const apiKey = keyOf(document.api.keyFile, 'api.keyFile');
  const peers = Object.entries(document.peers).map(([peer, { address, keyFile }]) => {
    const key = keyOf(keyFile, `peers.${peer}.keyFile`) ?? null;
    return [peer, { ...address, key }] as const;
  });
  const guests = document.guests.flatMap(
    (guest, index) => attempt(() => guestDefinition(guest, `guests.${index}`)) ?? [],
  );
  if (problems.length > 0) throw new UsageError(problems);
  return {
    name: document.name,
    receive: { ...document.receive.listen, key: receiveKey },
    apiKey: apiKey && Buffer.from(apiKey).toString('utf8').trim(),
    state: beside(document.state),
    drainNs: document.drain,
    targetDowntimeNs: document.target.downtime,
    limits: {
      guests: document.limits.guests,
      guestMemoryBytes: document.limits.guestMemory,
      runningMigrations: document.limits.runningMigrations,
      runningExperiments: document.limits.runningExperiments,
      waiting: document.limits.waiting,
      bodyBytes: document.limits.body,
    },
    peers: new Map(peers),
    links: new Map(Object.entries(document.links).map(([link, { capacity }]) => [link, capacity])),
    guests,
  };
}
