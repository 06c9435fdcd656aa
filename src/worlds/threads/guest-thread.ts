import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Nanos } from '../../core/units.ts';
import { entry } from '../../platform/entry.ts';
import { Failure } from '../../platform/failure.ts';
import type { SegmentedMemory } from '../../platform/segmented-memory.ts';
import { overShared } from '../../platform/shared-memory.ts';
import { notifyThread, type ScheduledThreadData } from '../../sched/scheduled-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { DirtyLog } from './dirty-log.ts';
import { Gate, type GuestReport, type GuestWorkerData } from './guest-control.ts';

/** A guest in a thread of its own, over memory that others share. Commands are carried out one after the other. */
export class GuestThread {
  /** Its memory, for other threads. */
  readonly segments: readonly SharedArrayBuffer[];
  readonly memory: SegmentedMemory;
  readonly log: DirtyLog;
  readonly #gate = new Gate();
  readonly #thread: ScheduledThreadData;
  readonly #worker: Worker;
  readonly #ended = new AbortController();
  #obeyed: Promise<unknown> = Promise.resolve();
  /** The guest time at which it is paused; undefined: it runs. */
  protected pausedAtNs: Nanos | undefined = 0;

  /** @param segments its memory, all zeros */
  constructor(
    guest: GuestSpec,
    segments: readonly SharedArrayBuffer[],
    heartbeats: HeartbeatAddress | null,
    thread: ScheduledThreadData,
    how: 'boot' | 'empty',
  ) {
    this.#thread = thread;
    this.segments = segments;
    this.memory = overShared(segments, guest);
    this.log = new DirtyLog(guest.pages);
    const shared = { memory: segments, dirty: this.log.buffer, control: this.#gate.buffer };
    const workerData: GuestWorkerData = { guest, heartbeats, thread, boot: how === 'boot', ...shared };
    this.#worker = new Worker(entry('worlds/threads/guest-worker'), { workerData });
    this.#worker.on('error', (error) => this.#ended.abort(error));
    this.#worker.on('exit', () => this.#ended.abort(new Failure('the guest thread has ended')));
  }

  /** Waits until it is there, paused: booted, or over empty memory. @throws Error it has ended, and why */
  async started(): Promise<void> {
    try {
      await this.#report();
    } catch (cause) {
      await this.terminate();
      throw cause;
    }
  }

  get isPaused(): boolean {
    return this.pausedAtNs !== undefined;
  }

  /** The guest time at which it is paused. */
  get guestTimeNs(): Nanos {
    return this.pausedAtNs!;
  }

  /** Runs on from where it is paused. */
  async run(): Promise<void> {
    const { pausedAtNs } = this;
    if (pausedAtNs === undefined) return;
    await this.#command(() => this.#gate.tell('run', pausedAtNs));
    this.pausedAtNs = undefined;
  }

  /** Stops it between two steps. @returns when, by the host's clock; undefined: it was paused before */
  async pause(): Promise<{ readonly atNs: Nanos } | undefined> {
    if (this.isPaused) return undefined;
    const paused = await this.#command(() => {
      this.#gate.tell('pause');
      notifyThread(this.#thread);
    });
    this.pausedAtNs = paused.guestTimeNs;
    return paused;
  }

  /** SHA-256 of all memory, in hexadecimal. The guest must be paused. */
  async hash(): Promise<string> {
    const { sha256 } = await this.#command(() => this.#gate.tell('hash'));
    return sha256!;
  }

  /** Makes steps, as fast as they go and without heartbeats, up to `steps` since boot. The guest must be paused. */
  async advance(steps: number): Promise<void> {
    await this.#command(() => this.#gate.tell('advance', steps));
  }

  /** Ends the thread, whatever it does. */
  async terminate(): Promise<void> {
    this.#gate.tell('exit');
    await this.#worker.terminate();
  }

  /** Each command is answered by one report. */
  #command(tell: () => void): Promise<GuestReport> {
    const obeyed = this.#obeyed.then(() => {
      tell();
      return this.#report();
    });
    this.#obeyed = obeyed.catch(() => {});
    return obeyed;
  }

  /** The next report. @throws Error the thread has ended, and why */
  async #report(): Promise<GuestReport> {
    const { signal } = this.#ended;
    try {
      const [report] = await once(this.#worker, 'message', { signal });
      return report;
    } catch (cause) {
      throw signal.aborted ? signal.reason : cause;
    }
  }
}
