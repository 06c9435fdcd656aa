import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { idleLink } from '../../core/link/account.ts';
import type { MigrationResult, Outcome, Verification } from '../../core/migration/migration-result.ts';
import { formatDuration, NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { End } from '../../core/wire/handover.ts';
import { clockNs, timestamp } from '../../platform/clock.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { sleepNs } from '../../platform/timer.ts';
import { WorkerThread } from '../../platform/worker-thread.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { World } from '../world.ts';
import { NativeMigrationLog, type QueryMigrate } from './native-migration-log.ts';
import { configure, notesOf, plainNative } from './native-settings.ts';
import { machineFolder } from './qemu.ts';
import type { RelayData, RelayMethods } from './relay-worker.ts';
import { ScriptGuest } from './script-guest.ts';
import { ScriptMachine } from './script-machine.ts';

interface Parts {
  readonly source: ScriptGuest;
  readonly destination: ScriptMachine;
  readonly relay: WorkerThread<RelayMethods>;
  readonly relayPort: number;
}

const HOST = '127.0.0.1';
/** QEMU's default for the downtime that it aims at. */
const DEFAULT_LIMIT_NS = 300e6;
/** Of QEMU's own; for a link without a rate. */
const NO_LIMIT_BYTES = 2 ** 40;
/**
 * `cpu_physical_memory_sync_dirty_bitmap` (include/exec/ram_addr.h) clears the log of every dirty page, but watches for writes
 * again (`cpu_physical_memory_dirty_bits_cleared`) only if a page of the block was not pending already. KVM's log does not
 * pass there.
 */
const LOSES_WRITES =
  'QEMU’s own migration changed this guest; without KVM, by its source, QEMU 7.2 misses writes to pages that were dirty at two of its dirty syncs';
/** The first answer after the end may carry zeros (7.2): ask again after so long. */
const SETTLING_MS = 100;

/**
 * QEMU's own migration of the same guest, as the thing to compare with: told the rate as `max-bandwidth`, the limit of a
 * downtime rule as `downtime-limit` and which of its own means to use, and otherwise left alone. It takes no steps of ours; we watch.
 */
export class QemuNativeWorld implements World {
  readonly startedAt = timestamp();
  readonly #setup: MigrationSpec;
  readonly #parts: Parts;
  #throttledPercent = 0;

  private constructor(setup: MigrationSpec, parts: Parts) {
    this.#setup = setup;
    this.#parts = parts;
  }

  /** @throws Failure there is no QEMU here, or more is asked than it can do. */
  static async create(setup: MigrationSpec): Promise<QemuNativeWorld> {
    const { guest, plan, cpu } = setup;
    if (cpu.guest || cpu.sender || cpu.scheduler !== 'none') {
      throw new Failure('cpu.scheduler: world qemu-native supports only none');
    }
    const migration = randomUUID();
    const parts: { end(): Promise<void> }[] = [];
    try {
      const place = (end: End) => ({ folder: machineFolder(migration, end), outlives: false });
      const source = await ScriptGuest.boot(setup, place('source'));
      parts.push(source);
      const { heartbeats, machine } = source;
      const role = 'receives by QEMU';
      const destination = await ScriptMachine.create(guest, { ...place('destination'), heartbeats, role });
      parts.push(destination);
      for (const { qemu } of [machine, destination]) await qemu.enable('events', 'return-path');
      await machine.qemu.qmp.execute('migrate-set-parameters', {
        'max-bandwidth': Math.round(plan.rateBytesPerSecond ?? NO_LIMIT_BYTES),
        'downtime-limit': Math.round(limitNs(setup) / NANOS_PER_MILLISECOND),
      });
      await configure(setup.native ?? plainNative, machine.qemu, destination.qemu);
      await destination.qemu.qmp.execute('migrate-incoming', { uri: `tcp:${HOST}:0` });
      const { depthBytes, rateBytesPerSecond } = plan;
      const data: RelayData = { to: await portOf(destination), depthBytes, rateBytesPerSecond };
      const relay = new WorkerThread<RelayMethods>('relay', 'worlds/vm/relay-worker', data);
      parts.push(relay);
      const relayPort = await relay.call('listen');
      await machine.run();
      return new QemuNativeWorld(setup, { source, destination, relay, relayPort });
    } catch (cause) {
      for (const part of parts.toReversed()) await part.end();
      throw cause;
    }
  }

  async perform(): ReturnType<World['perform']> {
    return { kind: 'failed', now: 0, why: 'QEMU migrates by itself and takes no steps' };
  }

  /** @throws Failure always: QEMU sends by itself, so that we cannot divide its link */
  allow(): void {
    throw new Failure(
      'link.capacity: world qemu-native cannot share a link, because QEMU sends by itself; use --world vm',
    );
  }

  slices(): readonly [] {
    return [];
  }

  async migrate(): Promise<MigrationResult> {
    const { source, destination, relay, relayPort } = this.#parts;
    const { qmp } = source.machine.qemu;
    await sleepNs(this.#setup.plan.observeNs);
    source.watchGaps();
    const log = this.#watch();
    try {
      await qmp.execute('migrate', { uri: `tcp:${HOST}:${relayPort}` });
      await this.#runsThere(log);
    } catch (cause) {
      return this.#staysHere(log, cause);
    }
    await sleep(SETTLING_MS);
    const last = await qmp.execute<QueryMigrate>('query-migrate');
    const { outage, continued } = await source.completed(() => destination.retire());
    const { live, whole } = await relay.call('carried');
    const link = { ...whole, utilisation: null };
    const verified: Verification = { memory: 'not-checked', continued };
    const result = log.completed(last, live, verified);
    const notes = [
      ...notesOf(this.#setup.native ?? plainNative, last, this.#throttledPercent),
      ...(continued === 'different' ? [LOSES_WRITES] : []),
    ];
    return { ...result, notes: [...result.notes, ...notes], outage, verified, servers: [], link };
  }

  async close(): Promise<void> {
    const { source, destination, relay } = this.#parts;
    await Promise.all([relay.end(), source.end(), destination.end()]);
  }

  /** Takes down what QEMU reports, and what it says when asked at these moments. */
  #watch(): NativeMigrationLog {
    const { source, destination, relay } = this.#parts;
    const { qmp } = source.machine.qemu;
    const log = new NativeMigrationLog(clockNs());
    qmp.listen((event) => {
      if (event.event === 'STOP') {
        relay.tell('stopped');
        log.stopped(event, clockNs());
      }
      if (event.event !== 'MIGRATION_PASS') return;
      const atNs = clockNs();
      void qmp.execute<QueryMigrate>('query-migrate').then(
        (answer) => log.passBegins(atNs, answer),
        () => {},
      );
    });
    destination.qemu.qmp.listen((event) => {
      if (event.event === 'RESUME') log.resumed(event, clockNs());
    });
    return log;
  }

  /** @throws Failure it does not come to that. */
  async #runsThere(log: NativeMigrationLog): Promise<void> {
    const { qmp } = this.#parts.source.machine.qemu;
    const { timeoutNs, timeoutFrom } = this.#setup.plan;
    const untilNs = clockNs() + (timeoutNs ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const { status, 'cpu-throttle-percentage': throttled = 0 } =
        await qmp.execute<QueryMigrate>('query-migrate');
      this.#throttledPercent = Math.max(this.#throttledPercent, throttled);
      if (status === 'completed' && log.hasResumed) return;
      if (status === 'failed' || status === 'cancelled') throw new Failure(`QEMU's migration: ${status}`);
      if (clockNs() > untilNs)
        throw new NotConverged(`the timeout of ${formatDuration(timeoutNs!)} (${timeoutFrom}) has passed`);
      await sleep(2);
    }
  }

  async #staysHere(log: NativeMigrationLog, cause: unknown): Promise<MigrationResult> {
    const { source, relay } = this.#parts;
    const { qmp } = source.machine.qemu;
    await qmp.execute('migrate_cancel').catch(() => {});
    const outcome: Outcome = cause instanceof NotConverged ? 'not-converged' : 'failed';
    const status = await qmp.execute<{ running: boolean }>('query-status').catch(() => ({ running: false }));
    return {
      ...log.abandoned(outcome, reasonOf(cause), clockNs(), status.running ? 'source' : 'nobody'),
      outage: await source.outage(),
      verified: { memory: 'not-checked', continued: 'not-checked' },
      servers: [],
      link: await relay.call('carried').then(
        ({ whole }) => whole,
        () => idleLink(this.#setup.plan.depthBytes),
      ),
    };
  }
}

class NotConverged extends Failure {}

function limitNs({ plan: { stop } }: MigrationSpec): Nanos {
  return stop.rule === 'downtime' ? stop.limitNs : DEFAULT_LIMIT_NS;
}

/** Where a QEMU waits for another one. */
async function portOf(machine: ScriptMachine): Promise<number> {
  const { 'socket-address': [address] = [] } = await machine.qemu.qmp.execute<{
    'socket-address'?: readonly { readonly port: string }[];
  }>('query-migrate');
  if (!address) throw new Failure('QEMU does not report the port on which it waits for the migration');
  return Number(address.port);
}
