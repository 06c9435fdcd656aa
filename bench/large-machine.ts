import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { plainTable } from '../src/study/tables/plain-table.ts';
import { headings, rowOf, summaryOf } from './machine-moves.ts';
import { MovedMachine } from './moved-machine.ts';

/** Two of them, one for each processor: 1.5 GiB in all, of which 2048 pages are hot. */
const writer = { pages: 196_608, hotPages: 1024, hotPerSecond: 4000, othersPerSecond: 400, processes: 2 };
const machine = ['-m', '2048', '-smp', '2'];
const rates = ['link.rate=500Mbit/s', 'link.stopRate=500Mbit/s'];
const ends = ['migration.stop.rounds=4', 'migration.verify=full'];
const observed = ['migration.observe=2s', 'migration.window=200ms'];
const plans: Readonly<Record<string, readonly string[]>> = {
  address: ['migration.order=address'],
  random: ['migration.order=random'],
  lru: ['migration.order=lru', ...observed],
  'threshold, deferred': ['migration.order=threshold', 'migration.defer.count=2048', ...observed],
  frequency: ['migration.order=frequency', ...observed],
};
const SAMPLE_MS = 50;

/** A guest of 2 GiB with two virtual processors, five times, and what the relay keeps in memory for it. */
export async function large(): Promise<void> {
  const moved = await MovedMachine.boot(writer, machine);
  const rows: (readonly string[])[] = [];
  const records: MigrationRecord[] = [];
  try {
    for (const [what, settings] of Object.entries(plans)) {
      await sleep(1_000);
      const memory = new MemoryOfThisProcess();
      const record = await moved.move([...rates, ...ends, ...settings]);
      records.push(record);
      rows.push(rowOf(what, record, moved.said?.errors));
      console.log(`${rows.at(-1)!.join(' · ')} · ${memory.grown()}`);
      if (record.outcome !== 'completed') throw new Error(`${what}: ${record.reason}`);
    }
  } finally {
    await moved.end();
  }
  console.log(plainTable(headings, rows, 1));
  console.log(summaryOf(records));
}

/** The relay is part of this process: how much more of it is in memory at most. */
class MemoryOfThisProcess {
  readonly #before = process.memoryUsage.rss();
  #most = this.#before;
  readonly #timer = setInterval(() => {
    this.#most = Math.max(this.#most, process.memoryUsage.rss());
  }, SAMPLE_MS);

  grown(): string {
    clearInterval(this.#timer);
    return `this process: ${((this.#most - this.#before) / 2 ** 20).toFixed(1)} MiB more in memory`;
  }
}
