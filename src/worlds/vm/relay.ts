import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entry } from '../../platform/entry.ts';
import type { RelayCommand, RelayData, RelayReport } from './relay-worker.ts';

type Carried = Extract<RelayReport, { kind: 'carried' }>;

/** A wire between two QEMUs on this host, in a thread of its own. */
export class Relay {
  readonly port: number;
  readonly #worker: Worker;

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.port = port;
  }

  static async start(data: RelayData): Promise<Relay> {
    const worker = new Worker(entry('worlds/vm/relay-worker'), { workerData: data });
    const [report] = (await once(worker, 'message')) as [Extract<RelayReport, { kind: 'listening' }>];
    return new Relay(worker, report.port);
  }

  /** The guest is paused: what is carried from now on does not belong to the live rounds. */
  stopped(): void {
    this.#worker.postMessage('stopped' satisfies RelayCommand);
  }

  async carried(): Promise<Carried> {
    const answer = once(this.#worker, 'message') as Promise<[Carried]>;
    this.#worker.postMessage('report' satisfies RelayCommand);
    return (await answer)[0];
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
