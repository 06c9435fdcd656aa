import type { Outage } from '../../core/migration/migration-result.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { WorkerThread } from '../../platform/worker-thread.ts';
import type { ViewerMethods, ViewerWorkerData } from './viewer-methods.ts';

/** The guest's client in a thread of its own. */
export class ViewerThread {
  readonly port: number;
  readonly #thread: WorkerThread<ViewerMethods>;

  private constructor(thread: WorkerThread<ViewerMethods>, port: number) {
    this.#thread = thread;
    this.port = port;
  }

  /**
   * @param program the thread's, by the way in which heartbeats come; without one, UDP
   * @throws Failure no such address to listen on
   */
  static async listen(
    data: ViewerWorkerData,
    program = 'observe/viewer/viewer-worker',
  ): Promise<ViewerThread> {
    const thread = new WorkerThread<ViewerMethods>('viewer', program, data);
    try {
      return new ViewerThread(thread, await thread.call('listen'));
    } catch (cause) {
      await thread.end();
      throw new Failure(`the viewer cannot listen on ${data.host}: ${reasonOf(cause)}`);
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

  /** @param sent the number of the last heartbeat sent: stragglers are waited for. */
  outage(sent: number): Promise<Outage | null> {
    return this.#thread.call('outage', sent);
  }

  end(): Promise<void> {
    return this.#thread.end();
  }
}
