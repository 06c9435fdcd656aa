import { Worker } from 'node:worker_threads';
import type { Outage } from '../../core/migration/migration-result.ts';
import { entry } from '../../platform/entry.ts';
import { Failure } from '../../platform/failure.ts';
import type { ViewerCommand, ViewerReport, ViewerWorkerData } from './viewer-protocol.ts';

/** The guest's client in a thread of its own. */
export class ViewerThread {
  readonly port: number;
  readonly #worker: Worker;

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
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
    const worker = new Worker(entry(program), { workerData: data });
    const report = await new Promise<ViewerReport>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (report.kind === 'listening') return new ViewerThread(worker, report.port);
    await worker.terminate();
    throw new Failure(
      `the viewer cannot listen on ${data.host}: ${report.kind === 'failed' ? report.why : ''}`,
    );
  }

  /** From here on heartbeats count that come from the destination, and no others. */
  forgetSource(): void {
    this.#worker.postMessage({ kind: 'forget the source' } satisfies ViewerCommand);
  }

  /** The longest gap counts from here. */
  watchGaps(): void {
    this.#worker.postMessage({ kind: 'watch gaps' } satisfies ViewerCommand);
  }

  /** @param sent the number of the last heartbeat sent: stragglers are waited for. */
  async outage(sent: number): Promise<Outage | null> {
    const reported = new Promise<ViewerReport>((resolve) => this.#worker.once('message', resolve));
    this.#worker.postMessage({ kind: 'report', sent } satisfies ViewerCommand);
    const report = await reported;
    return report.kind === 'outage' ? report.outage : null;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
