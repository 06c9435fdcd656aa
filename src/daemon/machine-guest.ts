import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import { Failure, printable, reasonOf } from '../platform/failure.ts';
import { connectMonitor } from '../qemu/connect-monitor.ts';
import type { Qmp } from '../qemu/qmp.ts';
import { QEMU_PAGE_BYTES } from '../qemu/stream-layout.ts';
import { insistOnPlainStream } from '../worlds/qemu/source-machine.ts';
import type { MachineSocket } from './configuration.ts';
import type { GuestView } from './view-schemas.ts';

/** Of a machine that is there; it is told at once of a stop and of its end. */
const LOOK_EVERY_MS = 1_000;
const TELLING = new Set(['STOP', 'RESUME', 'SHUTDOWN', 'MIGRATION']);

/** While somebody else has its monitor. */
type Borrowed = 'arriving' | 'leaving' | 'rehearsing';

type State = Extract<
  GuestView['state'],
  'running' | 'paused' | 'waiting' | 'moved' | 'unreachable' | Borrowed
>;

/** What of a machine is shown. */
interface Seen {
  readonly state: State;
  readonly pages: number;
  readonly processors: number;
  readonly why: string | null;
}

/** QEMU's words for a machine (qapi/run-state.json: RunState); all others are pauses for a reason of their own. */
const states: Readonly<Record<string, State>> = {
  running: 'running',
  paused: 'paused',
  inmigrate: 'waiting',
  postmigrate: 'moved',
};

const owners: Readonly<Record<State, GuestView['owner']>> = {
  ...({
    running: 'here',
    paused: 'here',
    leaving: 'here',
    rehearsing: 'here',
    unreachable: 'unknown',
  } as const),
  ...({ waiting: 'elsewhere', moved: 'elsewhere', arriving: 'elsewhere' } as const),
};

/** Why nothing can be done with a machine in this state. */
const objections: Readonly<Record<Exclude<State, 'running' | 'paused'>, string>> = {
  waiting: 'its QEMU waits for a machine',
  moved: 'it has moved, and must not run here again: end its QEMU',
  arriving: 'it is on its way here',
  leaving: 'it is on its way',
  rehearsing: 'it is being rehearsed, to see what its programs write',
  unreachable: 'its QEMU cannot be asked',
};

/**
 * A machine of somebody else's QEMU that is a guest here. It is asked how it does again and again, and connected to again where that
 * is lost. A monitor has room for one client: whoever moves the machine borrows it meanwhile.
 */
export class MachineGuest {
  readonly name: string;
  readonly socket: string;
  /** Of each of its processors, while it leaves. */
  readonly reservation: KeptReservation | null;
  readonly #changed: (machine: MachineGuest) => void;
  #qmp: Qmp | undefined;
  #seen: Seen = { state: 'unreachable', pages: 0, processors: 1, why: 'not asked yet' };
  #looking: Promise<void> = Promise.resolve();
  #isToLook = false;
  #timer: NodeJS.Timeout | undefined;
  #isBorrowed = false;
  #isClosed = false;

  /** @param changed told when something of it that is shown has changed */
  constructor({ name, socket, reservation }: MachineSocket, changed: (machine: MachineGuest) => void) {
    this.name = name;
    this.socket = socket;
    this.reservation = reservation;
    this.#changed = changed;
  }

  get state(): State {
    return this.#seen.state;
  }

  get pages(): number {
    return this.#seen.pages;
  }

  /** As its last answer says. */
  get processors(): number {
    return this.#seen.processors;
  }

  get view(): GuestView {
    const { state, pages, why } = this.#seen;
    const what = { name: this.name, kind: 'qemu', pages, pageSizeBytes: QEMU_PAGE_BYTES } as const;
    const notKnown = { program: null, steps: null, heartbeats: null };
    return { ...what, ...notKnown, reservation: this.reservation, state, owner: owners[state], why };
  }

  /** Looks how it does, and from then on again and again until it is closed. */
  look(): Promise<void> {
    // Whatever happens before a look has begun is seen by it.
    if (this.#isToLook) return this.#looking;
    this.#isToLook = true;
    this.#looking = this.#looking.then(() => {
      this.#isToLook = false;
      return this.#look();
    });
    return this.#looking;
  }

  /** @throws Failure it cannot be moved, and why; or nothing is to be known of it */
  async insistOnMovable(): Promise<void> {
    this.insistOnThere();
    await this.look();
    this.insistOnThere();
    await insistOnPlainStream(this.socket, this.#qmp!).catch((cause) => {
      throw new Failure(reasonOf(cause));
    });
  }

  /** @throws Failure it is not here, running or paused */
  insistOnThere(): void {
    const { state, why } = this.#seen;
    if (state === 'running' || state === 'paused') return;
    const because = state === 'unreachable' ? `${objections[state]}: ${why}` : objections[state];
    throw new Failure(`guest '${this.name}': ${because}`);
  }

  /** @throws Failure no QEMU waits there for a machine */
  async insistOnWaiting(): Promise<void> {
    await this.look();
    const { state, why } = this.#seen;
    if (state === 'waiting') return;
    throw new Failure(`guest '${this.name}' is ${state} here and not waiting${why ? `: ${why}` : ''}`);
  }

  /** @throws Failure it is not here, or QEMU refuses */
  async change(change: 'pause' | 'resume'): Promise<void> {
    this.insistOnThere();
    await this.#qmp!.execute(change === 'pause' ? 'stop' : 'cont');
    await this.look();
  }

  /**
   * Gives its monitor to whoever moves it.
   * @returns how to give it back
   * @throws Failure somebody else has it
   */
  async borrow(as: Borrowed): Promise<() => Promise<void>> {
    if (this.#isBorrowed)
      throw new Failure(`guest '${this.name}': ${objections[this.#seen.state as Borrowed]}`);
    this.#isBorrowed = true;
    await this.#looking;
    this.#disconnect();
    this.#show({ ...this.#seen, state: as, why: null });
    return () => {
      this.#isBorrowed = false;
      return this.look();
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#disconnect();
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isBorrowed || this.#isClosed) return;
    try {
      this.#show(await this.#ask());
    } catch (cause) {
      this.#disconnect();
      const why = printable(reasonOf(cause));
      this.#show({ ...this.#seen, state: 'unreachable', why });
    }
    if (this.#isClosed) this.#disconnect();
    else this.#timer = setTimeout(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  async #ask(): Promise<Seen> {
    if (!this.#qmp) {
      const qmp = await connectMonitor(this.socket);
      this.#qmp = qmp;
      qmp.listen(({ event }) => TELLING.has(event) && void this.look());
      qmp.onEnd(() => this.#qmp === qmp && void this.look());
    }
    const [{ status }, memory, processors] = await Promise.all([
      this.#qmp.execute<{ readonly status: string }>('query-status'),
      this.#qmp.execute<Record<string, number>>('query-memory-size-summary'),
      this.#qmp.execute<readonly object[]>('query-cpus-fast'),
    ]);
    const bytes = (memory['base-memory'] ?? 0) + (memory['plugged-memory'] ?? 0);
    const state = states[status];
    return {
      state: state ?? 'paused',
      pages: Math.ceil(bytes / QEMU_PAGE_BYTES),
      processors: processors.length,
      why: state ? null : `QEMU says '${printable(status)}'`,
    };
  }

  #disconnect(): void {
    const qmp = this.#qmp;
    this.#qmp = undefined;
    qmp?.close();
  }

  #show(seen: Seen): void {
    const { state, pages, why } = this.#seen;
    this.#seen = seen;
    if (seen.state !== state || seen.pages !== pages || seen.why !== why) this.#changed(this);
  }
}
