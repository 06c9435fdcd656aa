import { randomInt } from 'node:crypto';
import type { Outage } from '../../core/migration/migration-result.ts';
import type { Nanos } from '../../core/units.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { WorkerThread } from '../../platform/worker-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { ViewerMethods, ViewerWorkerData } from './viewer-methods.ts';

/** The guest's client in a thread of its own. */
export class ViewerThread {
  /** Where the guest sends its heartbeats. */
  readonly heartbeats: HeartbeatAddress;
  readonly #thread: WorkerThread<ViewerMethods>;

  private constructor(thread: WorkerThread<ViewerMethods>, heartbeats: HeartbeatAddress) {
    this.#thread = thread;
    this.heartbeats = heartbeats;
  }

  /**
   * @param periodNs of the guest's heartbeats
   * @param program the thread's, by the way in which heartbeats come; without one, UDP
   * @throws Failure no such address to listen on
   */
  static async listen(
    host: string,
    periodNs: Nanos,
    program = 'observe/viewer/viewer-worker',
  ): Promise<ViewerThread> {
    const token = randomInt(2 ** 32);
    const data: ViewerWorkerData = { host, token, periodNs };
    const thread = new WorkerThread<ViewerMethods>('viewer', program, data);
    try {
      return new ViewerThread(thread, { host, token, port: await thread.call('listen') });
    } catch (cause) {
      await thread.end();
      throw new Failure(`the viewer cannot listen on ${host}: ${reasonOf(cause)}`);
    }
  }

  /** From here on only heartbeats from the destination count. */
  forgetSource(): void {
    this.#thread.tell('forgetSource');
  }

  /** The longest gap counts from here. */
  watchGaps(): void {
    this.#thread.tell('watchGaps');
  }

  /** @param sent the number of the last heartbeat sent: stragglers are waited for. null: the guest has not ended */
  outage(sent: number | null): Promise<Outage | null> {
    return this.#thread.call('outage', sent);
  }

  end(): Promise<void> {
    return this.#thread.end();
  }
}
