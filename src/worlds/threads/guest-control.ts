import type { Nanos } from '../../core/units.ts';
import type { ScheduledThreadData } from '../../sched/scheduled-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { GuestSpec } from '../../workload/programs.ts';

export interface GuestWorkerData {
  readonly guest: GuestSpec;
  /** Its segments. */
  readonly memory: readonly SharedArrayBuffer[];
  /** The words of a `DirtyLog`. */
  readonly dirty: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly heartbeats: HeartbeatAddress | null;
  readonly thread: ScheduledThreadData;
  /** Whether the guest is new, or its memory will have been written by a migration before it runs. */
  readonly boot: boolean;
}

/** What the guest's gate can be told. `hash` and `advance` end with the guest paused again. */
export const commands = { pause: 0, run: 1, hash: 2, advance: 3, exit: 4 } as const;

/**
 * The gate: a word that the guest's thread reads between any two steps, and sleeps on while it is paused; beside
 * it, a number that goes with the command.
 */
export class Gate {
  readonly buffer: SharedArrayBuffer;
  readonly #command: Int32Array;
  readonly #argument: Float64Array;

  constructor(buffer = new SharedArrayBuffer(16)) {
    this.buffer = buffer;
    this.#command = new Int32Array(buffer, 0, 1);
    this.#argument = new Float64Array(buffer, 8, 1);
  }

  tell(command: keyof typeof commands, argument = 0): void {
    this.#argument[0] = argument;
    Atomics.store(this.#command, 0, commands[command]);
    Atomics.notify(this.#command, 0);
  }

  get command(): number {
    return Atomics.load(this.#command, 0);
  }

  get argument(): number {
    return this.#argument[0]!;
  }

  /** Sleeps while the command is `command`, at most so long. */
  sleepWhile(command: number, atMostMs = Number.POSITIVE_INFINITY): void {
    Atomics.wait(this.#command, 0, command, atMostMs);
  }
}

/** What the guest's thread answers to every command: to `run` when it begins to run, to the others when it is paused. */
export interface GuestReport {
  /** Host clock. */
  readonly atNs: Nanos;
  readonly guestTimeNs: Nanos;
  /** Of all memory, when the command was `hash`. */
  readonly sha256: string | null;
}
