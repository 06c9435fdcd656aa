import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import {
  type Bytes,
  type BytesPerSecond,
  expected,
  type Nanos,
  parseDuration,
  parseRate,
  parseSize,
} from '../core/units.ts';
import { UsageError } from '../platform/problem.ts';
import { checked } from '../scenario/checked.ts';
import { type GuestDefinition, guestDefinition } from '../scenario/migration-request.ts';
import { quantity, whole } from '../scenario/quantity.ts';
import { readYaml } from '../scenario/yaml-file.ts';
import { type DestinationThere, parseAddress } from '../transport/address.ts';
import { readKey } from '../transport/key-file.ts';

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

const someTime = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);
const size = quantity(parseSize, expected.size, (bytes) => bytes > 0);
const name = z
  .string('a name')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'a name of at most 63 letters, digits, dots, dashes and underscores',
  );
const file = z.string('the path of a file');

const schema = z.strictObject(
  {
    name: name.default('switchover'),
    receive: z
      .strictObject(
        { listen: z.string('HOST:PORT').default('127.0.0.1:0'), keyFile: file.optional() },
        '{ listen, keyFile }',
      )
      .prefault({}),
    api: z.strictObject({ keyFile: file.optional() }, '{ keyFile }').prefault({}),
    state: z.string('the path of a folder').default('./state'),
    drain: someTime.prefault('30s'),
    target: z.strictObject({ downtime: someTime.prefault('300ms') }, '{ downtime }').prefault({}),
    limits: z
      .strictObject(
        {
          guests: whole(1, 1000).default(16),
          guestMemory: size.prefault('1GiB'),
          runningMigrations: whole(1, 16).default(1),
          runningExperiments: whole(1, 16).default(1),
          waiting: whole(0, 10_000).default(500),
          body: size.prefault('256KiB'),
        },
        '{ guests, guestMemory, runningMigrations, runningExperiments, waiting, body }',
      )
      .prefault({}),
    peers: z
      .record(
        name,
        z.strictObject({ address: z.string('HOST:PORT'), keyFile: file.optional() }, '{ address, keyFile }'),
        'destinations by name',
      )
      .default({}),
    links: z
      .record(
        name,
        z.strictObject({ capacity: quantity(parseRate, expected.rate) }, '{ capacity }'),
        'links by name',
      )
      .default({}),
    guests: z.array(z.unknown(), 'a list of guests').default([]),
  },
  'a configuration',
);

/**
 * @throws Failure a file cannot be read
 * @throws UsageError all that is wrong with what it says
 */
export function loadConfiguration(path: string): Configuration {
  const document = checked(schema, readYaml(path) ?? {}, path);
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
  const receive = attempt(() => parseAddress(document.receive.listen, 'receive.listen'));
  const receiveKey = keyOf(document.receive.keyFile, 'receive.keyFile');
  const apiKey = keyOf(document.api.keyFile, 'api.keyFile');
  const peers = Object.entries(document.peers).flatMap(([peer, { address, keyFile }]) => {
    const there = attempt(() => parseAddress(address, `peers.${peer}.address`));
    const key = keyOf(keyFile, `peers.${peer}.keyFile`) ?? null;
    return there ? [[peer, { ...there, key }] as const] : [];
  });
  const guests = document.guests.flatMap(
    (guest, index) => attempt(() => guestDefinition(guest, `guests.${index}`)) ?? [],
  );
  for (const [index, { guest }] of guests.entries()) {
    if (guests.findIndex((other) => other.guest.name === guest.name) === index) continue;
    problems.push({ path: `guests.${index}.name`, expected: 'a name of its own', found: guest.name });
  }
  if (problems.length > 0) throw new UsageError(problems);
  return {
    name: document.name,
    receive: { ...receive!, key: receiveKey },
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
