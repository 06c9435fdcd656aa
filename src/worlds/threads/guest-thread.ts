import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entry } from '../../platform/entry.ts';
import { Failure } from '../../platform/failure.ts';
import { sharedMemory } from '../../platform/shared-memory.ts';
import { notifyThread, type ScheduledThreadData } from '../../sched/scheduled-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { DirtyLog } from './dirty-log.ts';
import { Gate, type GuestReport, type GuestWorkerData } from './guest-control.ts';

/** A guest in a thread of its own, over memory that others share. Commands are carried out one after the other. */
export class GuestThread {
  readonly memory: SharedArrayBuffer;
  readonly log: DirtyLog;
  readonly #gate = new Gate();
  readonly #thread: ScheduledThreadData;
  readonly #worker: Worker;
  readonly #ended = new AbortController();
  #obeyed: Promise<unknown> = Promise.resolve();

  private constructor(data: Omit<GuestWorkerData, 'memory' | 'dirty' | 'control'>) {
    const { guest, thread } = data;
    this.#thread = thread;
    this.memory = allocate(guest);
    this.log = new DirtyLog(guest.pages);
    const shared = { memory: this.memory, dirty: this.log.buffer, control: this.#gate.buffer };
    const workerData: GuestWorkerData = { ...data, ...shared };
    this.#worker = new Worker(entry('worlds/threads/guest-worker'), { workerData });
    this.#worker.on('error', (error) => this.#ended.abort(error));
    this.#worker.on('exit', () => this.#ended.abort(new Failure('the guest thread has ended')));
  }

  /** A guest that is paused: booted, or over empty memory that a migration will fill. @throws Failure no memory */
  static async start(
    guest: GuestSpec,
    heartbeats: HeartbeatAddress | null,
    threadData: ScheduledThreadData,
    how: 'boot' | 'empty',
  ): Promise<GuestThread> {
    const thread = new GuestThread({ guest, heartbeats, thread: threadData, boot: how === 'boot' });
    try {
      await thread.#report();
      return thread;
    } catch (cause) {
      await thread.end();
      throw cause;
    }
  }

  /** Runs from `guestTimeNs` on. */
  run(guestTimeNs: number): Promise<GuestReport> {
    return this.#command(() => this.#gate.tell('run', guestTimeNs));
  }

  /** Stops between two steps. */
  pause(): Promise<GuestReport> {
    return this.#command(() => {
      this.#gate.tell('pause');
      notifyThread(this.#thread);
    });
  }

  /** SHA-256 of all memory, in hexadecimal. The guest must be paused. */
  async hash(): Promise<string> {
    const { sha256 } = await this.#command(() => this.#gate.tell('hash'));
    return sha256!;
  }

  /** Makes steps, as fast as they go and without heartbeats, up to `steps` since boot. The guest must be paused. */
  advance(steps: number): Promise<GuestReport> {
    return this.#command(() => this.#gate.tell('advance', steps));
  }

  /** Ends the thread, whatever it does. */
  async end(): Promise<void> {
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

/** @throws Failure there is not that much memory. */
function allocate({ pages, pageSizeBytes }: GuestSpec): SharedArrayBuffer {
  try {
    return sharedMemory(pages * pageSizeBytes);
  } catch {
    throw new Failure(`no memory for a guest of ${pages} pages of ${pageSizeBytes} bytes`);
  }
}
