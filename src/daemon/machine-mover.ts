import { Worker } from 'node:worker_threads';
import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import { onClock } from '../core/link/ceiling.ts';
import { type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { formatDuration, formatSize } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { entry } from '../platform/entry.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { ThreadCalls } from '../platform/thread-calls.ts';
import { LeaseClient, linkRequest } from '../run/lease-client.ts';
import { machineDevice } from '../scenario/machine-plan.ts';
import { machineDefinition, requestedMachineMigration } from '../scenario/requested-machine.ts';
import { machineProblem, type PlannedGuest } from '../study/plan/guest-problem.ts';
import type { PlanProblem } from '../study/plan/plan-problem.ts';
import { Allowance } from '../transport/allowance.ts';
import { unsentQuestions } from '../transport/unsent/unsent-thread.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { cutShort } from './cut-short.ts';
import type { MachineGuests } from './machine-guests.ts';
import type { MachineMoveData, MachineMoveMethods, MoveNews } from './machine-move-worker.ts';
import type { AdmittedMigration, KnownFor, Mover } from './mover.ts';
import {
  type MigrationRequest,
  type PlannedMigration,
  plannedMigration,
  specOf,
} from './planned-migration.ts';
import type { Rehearsals } from './rehearsals.ts';

/** A move under way. */
interface Move {
  /** Its thread; undefined: it has not begun. */
  calls?: ThreadCalls<MachineMoveMethods>;
  /** Why it is not to begin. */
  cancelled?: string;
}

const { stateBytes, timeNs } = machineDevice;
const ofMachines = [
  'pages of zeros, which are sent as a header: every page is taken to hold something',
  `what its devices are: their state is taken to be ${formatSize(stateBytes)} and to take ${formatDuration(timeNs)}`,
  'when QEMU stops under other rules than rounds: up to 0.1 s later',
  'what reservations of CPU time do to its threads',
];

/** Moves machines of QEMU that somebody else has started, each in a thread of its own. */
export class MachineMover implements Mover {
  readonly world = 'qemu';
  readonly leftOut = { computed: ofMachines, planned: ofMachines };
  readonly #machines: MachineGuests;
  readonly #rehearsals: Rehearsals;
  readonly #journals: string;
  /** By guest. */
  readonly #moves = new Map<string, Move>();

  /** @param journals the folder where is written down what whoever comes after this process must know */
  constructor(machines: MachineGuests, rehearsals: Rehearsals, journals: string) {
    this.#machines = machines;
    this.#rehearsals = rehearsals;
    this.#journals = journals;
  }

  async find(guest: string): Promise<GuestDefinition> {
    const { pages, reservation } = await this.#machines.movable(guest);
    // What devices have of its memory is known once its stream begins.
    return machineDefinition({ name: guest, pages }, reservation);
  }

  async known(asked: string, { guest, migration, link }: KnownFor): Promise<GuestDefinition> {
    const { guest: found, reservation } = await this.find(guest);
    requestedMachineMigration(migration, found, link, reservation);
    return { ...(await this.#rehearsals.rehearse(asked, guest)), reservation };
  }

  problem(guest: PlannedGuest): PlanProblem {
    return machineProblem(guest);
  }

  /** Its dirty log is asked once a round, whatever the request says of when bits are cleared, and its devices are those of a machine. */
  modelled(planned: PlannedMigration, definition: GuestDefinition): MigrationSpec {
    const { plan, ...spec } = specOf(planned, definition);
    return { ...spec, plan: { ...plan, clear: 'round', device: machineDevice } };
  }

  /** The kernel reserves each of its processors as much, for as long as it leaves. */
  planned(request: MigrationRequest, { guest, reservation }: GuestDefinition): PlannedMigration {
    const { migration, link } = request;
    const { processors } = this.#machines.get(guest.name);
    const takes = reservation ? new Array<KeptReservation>(processors).fill(reservation) : [];
    const requested = requestedMachineMigration(migration, guest, link, reservation);
    return plannedMigration(request, requested, { has: [], takes });
  }

  /** What its programs write is not known without a rehearsal, which is not for everyone who moves a machine. */
  async predicted(): Promise<null> {
    return null;
  }

  async carryOut(migration: AdmittedMigration): Promise<MigrationRecord> {
    const { guest } = migration.request;
    const move: Move = {};
    this.#moves.set(guest, move);
    try {
      return await this.#underLease(migration, move);
    } finally {
      this.#moves.delete(guest);
    }
  }

  async cancel(guest: string, why: string): Promise<boolean> {
    const move = this.#moves.get(guest);
    if (!move) return false;
    if (move.calls) return move.calls.call('cancel', why);
    move.cancelled = why;
    return true;
  }

  async #underLease(migration: AdmittedMigration, move: Move): Promise<MigrationRecord> {
    const { id, planned, store } = migration;
    const { plan, share } = planned;
    const allowance = new Allowance();
    const lease =
      store &&
      share &&
      new LeaseClient(
        store,
        { ...linkRequest(id, plan, share), queueTimeoutNs: share.queueTimeoutNs },
        (ceilings) => allowance.write(onClock(ceilings, clockNs())),
      );
    const why = await lease?.admit();
    if (why !== undefined) throw new Failure(why);
    let admission: MigrationRecord['admission'] = null;
    let record: MigrationRecord;
    try {
      record = await this.#move(migration, allowance, move);
    } finally {
      admission = (await lease?.leave()) ?? null;
    }
    return { ...record, admission };
  }

  async #move(
    { id, request, to, metadata, progressed }: AdmittedMigration,
    allowance: Allowance,
    move: Move,
  ): Promise<MigrationRecord> {
    const { guest, link, migration: document } = request;
    const machine = this.#machines.get(guest);
    const giveBack = await machine.borrow('leaving');
    if (move.cancelled !== undefined) {
      await giveBack();
      throw new Failure(move.cancelled);
    }
    // They are answered by a thread that outlives all others.
    unsentQuestions();
    const data: MachineMoveData = {
      ...{ guest, id, qmp: machine.socket, reservation: machine.reservation, journals: this.#journals },
      scenario: metadata.scenario,
      ...{ document, link, to, allowance: allowance.buffer },
    };
    const worker = new Worker(entry('daemon/machine-move-worker'), { workerData: data });
    const calls = new ThreadCalls<MachineMoveMethods>(worker);
    worker.on('message', (news: MoveNews | object) => 'progress' in news && progressed(news.progress));
    worker.once('error', (error) => calls.end(error));
    worker.once('exit', () => calls.end(new Failure('the thread that moved the machine has ended')));
    move.calls = calls;
    try {
      return await calls.call('move');
    } catch (cause) {
      await worker.terminate();
      // A thread that has died in the middle has left as much behind as a process.
      const settled = await this.#machines.settle(() => to);
      const fate = settled.get(machine.socket);
      if (!fate) throw cause;
      return migrationRecord(metadata, cutShort(reasonOf(cause), fate.owner));
    } finally {
      await worker.terminate();
      await giveBack();
    }
  }
}
