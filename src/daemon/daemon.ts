import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import { FolderLock } from '../platform/folder-lock.ts';
import { goFirst } from '../platform/thread-scheduling.ts';
import { formatAddress } from '../transport/address.ts';
import type { Settlement } from '../transport/settlement.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { Host } from '../worlds/threads/host.ts';
import { Admission } from './admission.ts';
import type { ApiSettings } from './api-settings.ts';
import { Computing } from './computing.ts';
import { type Configuration, credentialsAt } from './configuration.ts';
import { type DaemonParts, openParts } from './daemon-parts.ts';
import { dryRun } from './dry-run.ts';
import type { EventLog } from './event-log.ts';
import type { Events, HostNews } from './events.ts';
import { Experiments } from './experiments.ts';
import { fateOf } from './fate.ts';
import type { Guests } from './guests.ts';
import type { HostCpu } from './host-cpu.ts';
import type { JobKind } from './job.ts';
import type { Log } from './log.ts';
import type { MachineGuests } from './machine-guests.ts';
import { MachineMover } from './machine-mover.ts';
import { MetricsFeed } from './metrics-feed.ts';
import type { PredictionView } from './migration-schemas.ts';
import { Migrations } from './migrations.ts';
import type { Mover } from './mover.ts';
import { NodeMetrics } from './node-metrics.ts';
import type { MigrationRequest } from './planned-migration.ts';
import { Rehearsals } from './rehearsals.ts';
import { TargetPlans } from './target-plans.ts';
import { ThreadsMover } from './threads-mover.ts';
import type { StateView } from './view-schemas.ts';
import { WatchThread } from './watch-thread.ts';

/**
 * Of the main thread, which takes the steps of migrations, where it is permitted; senders follow it. They work in short
 * pieces, and reserved threads go before them all the same.
 */
const HOST_NICE = -10;

/** Time in which what was cancelled at the end of a drain may still clean up. */
const LAST_GRACE_MS = 10_000;

/** What changes from moment to moment. */
export interface Overview extends Pick<StateView, 'guests' | 'links' | 'cpu' | 'queues' | 'degraded'> {
  /** Why it takes nothing new. null: it does. */
  readonly unready: string | null;
}

/**
 * A host with everything that an operator needs but the API, which is in a thread of its own and hears of everything by
 * events: its parts, and its beginning and end.
 */
export class Daemon {
  readonly guests: Guests;
  readonly migrations: Migrations;
  readonly experiments: Experiments;
  readonly events: Events;
  readonly metrics = new MetricsFeed((counted) => this.events.publish(counted));
  readonly nodeMetrics = new NodeMetrics();
  readonly targetPlans: TargetPlans;
  /** Who moves a guest of this name. */
  readonly moverOf: (guest: string) => Mover;
  readonly #computing = new Computing();
  readonly #watch: WatchThread;
  readonly #eventLog: EventLog;
  readonly #settlements: readonly Settlement[];
  readonly #host: Host;
  readonly #machines: MachineGuests;
  readonly #rehearsals: Rehearsals;
  readonly #cpu: HostCpu;
  readonly #admission: Admission;
  readonly #lock: FolderLock;
  #configuration: Configuration;
  #began = false;

  private constructor(configuration: Configuration, parts: DaemonParts) {
    const { lock, journals, host, machines, guests, cpu, events, eventLog, settlements, log } = parts;
    this.#configuration = configuration;
    this.#lock = lock;
    this.#host = host;
    this.#machines = machines;
    this.events = events;
    this.#cpu = cpu;
    this.#eventLog = eventLog;
    this.#settlements = settlements;
    eventLog.watch((value) => events.publish({ kind: 'degraded', value }));
    this.#admission = new Admission(configuration.limits, configuration.links, cpu, {
      waited: (kind, ns) => this.metrics.waited(kind, ns),
      linksChanged: (value) => events.publish({ kind: 'links', value }),
    });
    this.#watch = new WatchThread({ events, metrics: this.metrics, log });
    const ended = (kind: JobKind) => (record: MigrationRecord) =>
      this.metrics.ended(record, kind, this.#configuration.targetDowntimeNs);
    this.guests = guests;
    this.#rehearsals = new Rehearsals(machines, journals);
    const threads = new ThreadsMover({ host, guests, computing: this.#computing, events });
    const machine = new MachineMover(machines, this.#rehearsals, journals);
    const moverOf = (guest: string) => (machines.has(guest) ? machine : threads);
    this.moverOf = moverOf;
    this.targetPlans = new TargetPlans({
      ...{ moverOf, cpu, admission: this.#admission },
      machine: () => this.#configuration.machine,
    });
    this.migrations = new Migrations({
      ...{ guests, moverOf },
      ...{ admission: this.#admission, computing: this.#computing, eventLog, events },
      ended: ended('migration'),
      held: (verdict) => this.metrics.held(verdict),
      sent: (link, bytes) => this.metrics.sentOver(link, bytes),
      log,
    });
    this.experiments = new Experiments(join(configuration.state, 'experiments'), {
      admission: this.#admission,
      computing: this.#computing,
      eventLog,
      events,
      ended: ended('experiment'),
      log,
    });
  }

  /**
   * Starts to receive guests.
   * @throws Refusal another daemon uses the state folder
   * @throws Failure it cannot listen, or the past cannot be read
   */
  static async open(configuration: Configuration, log: Log): Promise<Daemon> {
    goFirst(HOST_NICE);
    const lock = await FolderLock.take(configuration.state, 'daemon');
    try {
      return new Daemon(configuration, await openParts(configuration, lock, log));
    } catch (cause) {
      lock.release();
      throw cause;
    }
  }

  /** Settles what an earlier process left behind, and boots the guests of the configuration. */
  async begin(log: Log): Promise<void> {
    const { past } = this.#eventLog;
    for (const { record } of past.records) this.metrics.last(record);
    await this.#machines.begin((receiver) => credentialsAt(this.#configuration, receiver));
    const fate = ({ world, guest: { name } }: RunMetadata) =>
      world === 'qemu' ? this.#machines.fateOf(name) : fateOf(name, this.#settlements);
    for (const record of this.migrations.settle(fate))
      this.metrics.ended(record, 'migration', this.#configuration.targetDowntimeNs);
    this.#watch.follow(this.#configuration.watch);
    await this.guests.begin(this.#configuration, this.#settlements, log);
    this.#began = true;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Where guests arrive. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#host.address;
  }

  /**
   * Takes a new configuration: keys, certificates, peers, links, limits, target, and what is watched. What was opened or booted by the old one
   * stays as it is.
   * @param load reads it
   * @returns what of it needs a restart
   */
  reload(load: () => Configuration): readonly string[] {
    try {
      const loaded = load();
      this.#admission.check(loaded.links);
      const before = this.#configuration;
      const { receive, apiTls, state, name, guests, machines, ...next } = loaded;
      this.#host.renew(receive);
      this.#configuration = { ...before, ...next, ...(before.apiTls && apiTls && { apiTls }) };
      this.#admission.change(next.limits, next.links);
      this.#watch.follow(next.watch);
      this.events.publish({ kind: 'settings', value: this.settings });
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

  /** What of the configuration the thread of the API knows. */
  get settings(): ApiSettings {
    const { name, apiKey, apiHosts, apiTls, targetDowntimeNs, peers: all } = this.#configuration;
    const peers = [...all].map(([peer, { there }]) => ({ name: peer, address: formatAddress(there) }));
    const receives = formatAddress(this.address);
    return { name, receives, apiKey, apiHosts, apiTls, targetDowntimeNs, peers };
  }

  get #unready(): string | null {
    if (!this.#began) return 'starting';
    return this.#admission.isDraining ? 'draining' : this.#eventLog.trouble;
  }

  /** What changes from moment to moment: small, and quickly told. */
  overview(): Overview {
    return {
      unready: this.#unready,
      guests: this.guests.list(),
      links: this.#admission.links(),
      cpu: this.#cpu.view(),
      queues: this.#admission.queues(),
      degraded: this.#eventLog.trouble,
    };
  }

  /** What a migration would come to. @param definition of its guest, which is known */
  dryRun(request: MigrationRequest, definition: GuestDefinition): Promise<PredictionView> {
    const mover = this.moverOf(request.guest);
    return dryRun(request, definition, { mover, admission: this.#admission, computing: this.#computing });
  }

  /** Nobody waits for what was asked for by this id. */
  cancelPlan(asked: string): void {
    this.#rehearsals.cancel(asked);
    this.targetPlans.cancel(asked);
  }

  /** What those who begin to watch must know. */
  retold(): readonly HostNews[] {
    const { migrations, experiments } = this;
    return [...migrations.views.retold(), ...experiments.views.retold(), ...this.#watch.retold()];
  }

  /**
   * Takes nothing new, lets what runs end, and after the deadline cancels it: a migration then ends at the source, or
   * is given away already and ends by itself. Guests end with the process.
   * @throws Failure not all that happened could be written down
   */
  async end(log: (line: string) => void): Promise<void> {
    const drained = this.#admission.drain();
    this.targetPlans.end();
    const rehearsed = this.#rehearsals.end();
    const { drainNs } = this.#configuration;
    if (!(await within(drained, drainNs / 1e6))) {
      log('the time to drain is over: what still runs is cancelled');
      this.migrations.cancelAll('this daemon is about to end');
      this.experiments.cancelAll();
      if (!(await within(drained, LAST_GRACE_MS))) log('not everything could be cancelled');
    }
    await rehearsed;
    this.guests.ended();
    this.#machines.end();
    await Promise.all([this.#host.close(), this.#computing.end(), this.#watch.end()]);
    this.#lock.release();
    this.#eventLog.close();
  }
}

/** What needs a restart, by its place in the file. */
function fixed({ receive, apiTls, limits, state, name, guests, machines }: Configuration) {
  const { host, port, key, tls } = receive;
  return {
    'receive.listen': [host, port],
    'receive.keyFile': key !== null,
    'receive.tls': typeof tls === 'object' ? 'certificates' : tls,
    'api.tls': apiTls !== undefined,
    'limits.body': limits.bodyBytes,
    ...{ state, name, guests: [...guests, ...machines] },
  };
}

/** Whether it came about in time. */
function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return Promise.race([promise.then(() => true), sleep(ms, false, { ref: false })]);
}
