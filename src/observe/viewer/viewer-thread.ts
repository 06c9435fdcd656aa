import { randomInt } from 'node:crypto';
import type { Nanos } from '../../core/units.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { WorkerThread } from '../../platform/worker-thread.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { ViewerMethods, ViewerWorkerData } from './viewer-methods.ts';

/** The guest's client in a thread of its own. */
export class ViewerThread extends WorkerThread<ViewerMethods> {
  #heartbeats: HeartbeatAddress | undefined;

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
    const data: ViewerWorkerData = { host, token: randomInt(2 ** 32), periodNs };
    const viewer = new ViewerThread('viewer', program, data);
    try {
      viewer.#heartbeats = { host, token: data.token, port: await viewer.call('listen') };
      return viewer;
    } catch (cause) {
      await viewer.end();
      throw new Failure(`the viewer cannot listen on ${host}: ${reasonOf(cause)}`);
    }
  }

  /** Where the guest sends its heartbeats. */
  get heartbeats(): HeartbeatAddress {
    return this.#heartbeats!;
  }
}
