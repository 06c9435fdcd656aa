import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entry } from '../../platform/entry.ts';
import type { MigrationSpec } from '../migration-spec.ts';
import type { BottleneckWorkerData } from './bottleneck-worker.ts';
import { bottleneckFor } from './disturbance.ts';

/** The antagonists of a real world: threads outside all reservations, and a bottleneck before the destination. */
export class Antagonists {
  readonly #workers: Worker[] = [];

  start({ antagonists = [] }: MigrationSpec): void {
    for (const each of antagonists) {
      if (each.kind !== 'memory-hog' && each.kind !== 'garbage') continue;
      for (let i = 0; i < each.count; i++) this.#thread(`${each.kind}-worker`, each);
    }
  }

  /** Where the sender must connect to: to the bottleneck, if there is one. */
  async inTheWay<To extends { readonly host: string; readonly port: number }>(
    setup: MigrationSpec,
    destination: To,
  ): Promise<To> {
    const bottleneck = bottleneckFor(setup);
    if (!bottleneck) return destination;
    const { host, port } = destination;
    const data: BottleneckWorkerData = { bottleneck, host, port };
    const [here] = await once(this.#thread('bottleneck-worker', data), 'message');
    return { ...destination, host: '127.0.0.1', port: here as number };
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #thread(name: string, workerData: unknown): Worker {
    const worker = new Worker(entry(`workload/antagonists/${name}`), { workerData });
    this.#workers.push(worker);
    return worker;
  }
}
