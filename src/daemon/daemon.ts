import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { MigrationRecord } from '../core/migration/record.ts';
import { FolderLock } from '../platform/folder-lock.ts';
import { encryptionKind } from '../transport/credentials.ts';
import { unproved } from '../transport/settlement.ts';
import { Host } from '../worlds/threads/host.ts';
import { Admission } from './admission.ts';
import type { Configuration } from './configuration.ts';
import { EventLog } from './event-log.ts';
import { Events } from './events.ts';
import { Experiments } from './experiments.ts';
import { Guests, settledBefore } from './guests.ts';
import { HostCpu } from './host-cpu.ts';
import type { JobKind } from './incidents.ts';
import { Metrics, type Pulled } from './metrics.ts';
import { Migrations } from './migrations.ts';
import { goFirst, warmUpRequests } from './readiness.ts';

/** Time in which what was cancelled at the end of a drain may still clean up. */
const LAST_GRACE_MS = 10_000;

/** What a daemon is given by its start. */
interface DaemonParts {
  /** Its state folder is its own. */
  readonly lock: FolderLock;
  readonly host: Host;
  readonly cpu: HostCpu;
  readonly eventLog: EventLog;
  readonly events: Events;
}

/** A host with everything that an operator needs: its parts, and its beginning and end. */
export class Daemon {
  readonly version: string;
  readonly guests: Guests;
  readonly migrations: Migrations;
  readonly experiments: Experiments;
  readonly events: Events;
  readonly metrics: Metrics;
  readonly #host: Host;
  readonly #cpu: HostCpu;
  readonly #admission: Admission;
  readonly #eventLog: EventLog;
  readonly #lock: FolderLock;
  #configuration: Configuration;
  #began = false;

  private constructor(
    version: string,
    configuration: Configuration,
    { lock, host, cpu, eventLog, events }: DaemonParts,
  ) {
    this.version = version;
    this.#configuration = configuration;
    this.#lock = lock;
    this.#host = host;
    this.#cpu = cpu;
    this.events = events;
    this.#eventLog = eventLog;
    eventLog.watch((value) => this.events.publish({ kind: 'degraded', value }));
    this.metrics = new Metrics(version, () => this.#pulled());
    this.#admission = new Admission(configuration.limits, configuration.links, cpu, {
      waited: (kind, ns) => this.metrics.waited(kind, ns),
      linksChanged: (value) => this.events.publish({ kind: 'links', value }),
    });
    const ended = (kind: JobKind) => (record: MigrationRecord) =>
      this.metrics.ended(record, kind, this.#configuration.targetDowntimeNs);
    this.guests = new Guests(host, eventLog, events);
    this.migrations = new Migrations({
      host,
      guests: this.guests,
      admission: this.#admission,
      eventLog,
      events,
      ended: ended('migration'),
      sent: (link, bytes) => this.metrics.sentOver(link, bytes),
    });
    this.experiments = new Experiments(
      join(configuration.state, 'experiments'),
      this.#admission,
      eventLog,
      events,
      ended('experiment'),
    );
  }

  /**
   * Settles what an earlier process left behind, starts to receive guests, and boots those of the configuration.
   * @throws Refusal another daemon uses the state folder
   * @throws Failure it cannot listen, or the past cannot be read
   */
  static async start(
    version: string,
    configuration: Configuration,
    log: (line: string) => void,
  ): Promise<Daemon> {
    goFirst();
    const lock = await FolderLock.take(configuration.state, 'daemon');
    try {
      return await Daemon.#start(version, configuration, lock, log);
    } catch (cause) {
      lock.release();
      throw cause;
    }
  }

  static async #start(
    version: string,
    configuration: Configuration,
    lock: FolderLock,
    log: (line: string) => void,
  ): Promise<Daemon> {
    const journals = join(configuration.state, 'journals');
    const eventLog = EventLog.open(configuration.state);
    for (const place of eventLog.past.damaged) log(`${place} cannot be read, and is left out`);
    const { settlements, remarks } = await settledBefore(journals, eventLog.past);
    for (const remark of remarks) log(remark);
    for (const line of settlements.flatMap((one) => unproved(one, [journals]))) log(line);
    const cpu = new HostCpu();
    let daemon: Daemon | undefined;
    const host = await Host.listen({
      ...configuration.receive,
      journals,
      reserve: ({ guest, reservation }) => {
        eventLog.insistOnRoom();
        return cpu.take('guest', guest.name, reservation ? [reservation] : []);
      },
      log: (line) => {
        log(`receive: ${line}`);
        daemon?.guests.look();
      },
    });
    try {
      const parts = { lock, host, cpu, eventLog, events: new Events() };
      daemon = new Daemon(version, configuration, parts);
      for (const { record } of eventLog.past.records) daemon.metrics.last(record);
      for (const record of daemon.migrations.settle(settlements)) {
        log(
          `a migration of guest '${record.guest.name}' was cut short; owner: ${record.owner}; ${record.reason}`,
        );
        daemon.metrics.ended(record, 'migration', configuration.targetDowntimeNs);
      }
      await daemon.guests.begin(configuration, settlements, log);
      await warmUpRequests(daemon.metrics);
      daemon.#began = true;
      return daemon;
    } catch (cause) {
      await host.close();
      throw cause;
    }
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Where guests arrive. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#host.address;
  }

  /** Why it takes nothing new. null: it does. */
  get unready(): string | null {
    if (!this.#began) return 'starting';
    return this.#admission.isDraining ? 'draining' : this.#eventLog.trouble;
  }

  /**
   * Takes a new configuration: keys, certificates, peers, links, limits, target. What was opened or booted by the old one
   * stays as it is.
   * @param load reads it
   * @returns what of it needs a restart
   */
  reload(load: () => Configuration): readonly string[] {
    try {
      const loaded = load();
      const before = this.#configuration;
      const { receive, apiTls, state, name, guests, ...next } = loaded;
      this.#configuration = { ...before, ...next, ...(before.apiTls && apiTls && { apiTls }) };
      this.#host.renew(receive);
      this.#admission.change(next.limits, next.links);
      this.metrics.reloaded(true);
      const fixedNow = fixed(before);
      const changed = Object.entries(fixed(loaded)).filter(([key, value]) => {
        return !isDeepStrictEqual(value, fixedNow[key as keyof typeof fixedNow]);
      });
      return changed.map(([key]) => key);
    } catch (cause) {
      this.metrics.reloaded(false);
      throw cause;
    }
  }

  links() {
    return this.#admission.links();
  }

  /** Everything that the page shows. */
  state() {
    const { name, peers, apiKey, targetDowntimeNs } = this.#configuration;
    const { host, port } = this.address;
    return {
      name,
      version: this.version,
      receives: `${host}:${port}`,
      needsKey: apiKey !== undefined,
      targetDowntimeNs,
      peers: [...peers].map(([peer, { there }]) => ({ name: peer, address: `${there.host}:${there.port}` })),
      guests: this.guests.list(),
      links: this.links(),
      cpu: this.#cpu.view(),
      queues: this.#admission.queues(),
      migrations: this.migrations.views.list(),
      experiments: this.experiments.views.list(),
      degraded: this.#eventLog.trouble,
    };
  }

  /**
   * Takes nothing new, lets what runs end, and after the deadline cancels it: a migration then ends at the source, or
   * is given away already and ends by itself. Guests end with the process.
   * @throws Failure not all that happened could be written down
   */
  async end(log: (line: string) => void): Promise<void> {
    const drained = this.#admission.drain();
    const { drainNs } = this.#configuration;
    if (!(await within(drained, drainNs / 1e6))) {
      log('the time to drain is over: what still runs is cancelled');
      this.migrations.cancelAll('this daemon is about to end');
      this.experiments.cancelAll();
      if (!(await within(drained, LAST_GRACE_MS))) log('not everything could be cancelled');
    }
    this.guests.ended();
    await this.#host.close();
    this.#lock.release();
    this.#eventLog.close();
  }

  #pulled(): Pulled {
    const { queues, links, cpu, targetDowntimeNs: downtimeTargetNs, degraded } = this.state();
    const { watchers } = this.events;
    return { queues, links, cpu, guests: this.guests.counts(), watchers, downtimeTargetNs, degraded };
  }
}

/** What needs a restart, by its place in the file. */
function fixed({ receive, apiTls, state, name, guests }: Configuration) {
  const { host, port, key } = receive;
  return {
    'receive.listen': [host, port],
    'receive.keyFile': key !== null,
    'receive.tls': encryptionKind(receive),
    'api.tls': apiTls !== undefined,
    ...{ state, name, guests },
  };
}

/** Whether it came about in time. */
function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return Promise.race([promise.then(() => true), sleep(ms, false, { ref: false })]);
}
