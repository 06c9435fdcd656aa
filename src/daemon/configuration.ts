import { dirname, resolve } from 'node:path';
import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import { type Problem, UsageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';
import { checked } from '../scenario/checked.ts';
import { insistOnKind } from '../scenario/file-kinds.ts';
import { locating } from '../scenario/located.ts';
import { predictedMachine } from '../scenario/machine-profile.ts';
import { guestDefinition } from '../scenario/migration-request.ts';
import { machineReservation } from '../scenario/requested-machine.ts';
import { machineProfileFile } from '../scenario/scenario-file.ts';
import { parseYaml } from '../scenario/yaml-file.ts';
import { type DestinationThere, formatAddress } from '../transport/address.ts';
import {
  type CertificateFiles,
  readAuthorities,
  readOwnCertificate,
} from '../transport/certificate-files.ts';
import type { Credentials } from '../transport/credentials.ts';
import { readKey } from '../transport/key-file.ts';
import { apiKeyIn } from './api-key.ts';
import { configurationSchema } from './configuration-schema.ts';

/** What a daemon is told by its file; every value resolved. */
export type Configuration = Readonly<ReturnType<typeof loadConfiguration>>;

/** A destination by name. */
export interface Peer {
  readonly there: DestinationThere;
  /** The link over which it is reached; undefined: the configuration does not say. */
  readonly over: string | undefined;
}

/** A machine of somebody else's QEMU, by its monitor. */
interface MonitoredSocket {
  readonly name: string;
  /** Of its monitor. */
  readonly socket: string;
}

/** One that is a guest here. */
export interface MachineSocket extends MonitoredSocket {
  /** What each of its processors is reserved while it leaves; null: nothing. */
  readonly reservation: KeptReservation | null;
}

/** A QEMU of somebody else, whose migrations are followed. */
export interface WatchedSocket extends MonitoredSocket {
  /** b_d, if it is known. */
  readonly stopRateBytesPerSecond: number | undefined;
}

/**
 * @throws Failure a file cannot be read
 * @throws UsageError all that is wrong with what it says
 */
export function loadConfiguration(path: string) {
  const text = readText(path);
  return locating(path, text, () => configurationOf(path, parseYaml(text, path) ?? {}));
}

function configurationOf(path: string, raw: unknown) {
  insistOnKind('a configuration', raw, path);
  const document = checked(configurationSchema, raw, path);
  const problems: Problem[] = [];
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
  const profileOf = (machine: string) =>
    /[./]/.test(machine) ? beside(machine) : machineProfileFile(machine);
  const keyOf = (other: string | undefined, where: string) =>
    other === undefined ? undefined : attempt(() => readKey(beside(other), where));
  const receiveKey = keyOf(document.receive.keyFile, 'receive.keyFile');
  const apiKeyFile = keyOf(document.api.keyFile, 'api.keyFile');
  const apiKey = apiKeyFile && attempt(() => apiKeyIn(apiKeyFile, 'api.keyFile'));
  const certificateOf = ({ cert, key }: CertificateFiles, where: string) => {
    const files = { cert: beside(cert), key: beside(key) };
    return attempt(() => readOwnCertificate(files, { cert: `${where}.cert`, key: `${where}.key` }));
  };
  const tlsOf = (tls: (CertificateFiles & { ca: string }) | 'off' | undefined, where: string) => {
    if (tls === undefined || tls === 'off') return tls;
    const ca = attempt(() => readAuthorities(beside(tls.ca), `${where}.ca`));
    const own = certificateOf(tls, where);
    return own && ca !== undefined ? { ...own, ca } : undefined;
  };
  const receiveTls = tlsOf(document.receive.tls, 'receive.tls');
  const apiTls = document.api.tls && certificateOf(document.api.tls, 'api.tls');
  const peers = Object.entries(document.peers).map(([peer, { address, over, keyFile, tls }]) => {
    const key = keyOf(keyFile, `peers.${peer}.keyFile`) ?? null;
    if (over !== undefined && !Object.hasOwn(document.links, over))
      problems.push({ path: `peers.${peer}.over`, expected: 'a link of this configuration', found: over });
    return [peer, { there: { ...address, key, tls: tlsOf(tls, `peers.${peer}.tls`) }, over }] as const;
  });
  const machine =
    document.machine === undefined
      ? undefined
      : attempt(() => predictedMachine(profileOf(document.machine!), 'threads'));
  const guests = document.guests.flatMap((guest, index) => {
    if (guest.kind === 'qemu') return [];
    return attempt(() => guestDefinition(guest, `guests.${index}`)) ?? [];
  });
  const machines = document.guests.flatMap((guest, index) => {
    if (guest.kind !== 'qemu') return [];
    const where = `guests.${index}`;
    const reservation = attempt(() => machineReservation(guest.reservation, where)) ?? null;
    return { name: guest.name, socket: beside(guest.qmp), reservation, path: `${where}.qmp` };
  });
  const watch = Object.entries(document.watch).map(([name, { qmp, stopRate }]): WatchedSocket => {
    return { name, socket: beside(qmp), stopRateBytesPerSecond: stopRate };
  });
  const monitors = [...machines, ...watch.map((one) => ({ ...one, path: `watch.${one.name}.qmp` }))];
  for (const [index, { path: where, socket }] of monitors.entries()) {
    const isFirst = monitors.findIndex((other) => other.socket === socket) === index;
    if (isFirst) continue;
    const expected = 'a monitor of its own, since each has room for one';
    problems.push({ path: where, expected, found: socket });
  }
  if (problems.length > 0) throw new UsageError(problems);
  const { name, state, drain, target, links } = document;
  const { guestMemory, body, ...limits } = document.limits;
  return {
    name,
    /** Where guests arrive. */
    receive: { ...document.receive.listen, key: receiveKey ?? null, tls: receiveTls },
    /** What changing calls must bring; undefined: whoever can reach the API may change things. */
    apiKey,
    /** The names under which the API answers, besides addresses and localhost. */
    apiHosts: document.api.hosts,
    /** The certificate with which the API speaks HTTPS; undefined: it speaks HTTP. */
    apiTls,
    /** The folder of journals, guests and records. */
    state: beside(state),
    drainNs: drain,
    targetDowntimeNs: target.downtime,
    /** Whose costs plans add; undefined: nobody's. */
    machine,
    limits: { ...limits, guestMemoryBytes: guestMemory, bodyBytes: body },
    peers: new Map<string, Peer>(peers),
    links: new Map(Object.entries(links).map(([link, { capacity }]) => [link, capacity])),
    watch,
    guests,
    /** Machines of QEMU that are guests here. */
    machines: machines.map(({ path: _, ...machine }): MachineSocket => machine),
  };
}

/** With which whoever is at this address is reached; nothing to prove, if it is none of the peers. */
export function credentialsAt({ peers }: Configuration, address: string): Credentials {
  return [...peers.values()].find(({ there }) => formatAddress(there) === address)?.there ?? { key: null };
}
