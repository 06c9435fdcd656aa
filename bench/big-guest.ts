import { partsOf } from '../src/core/migration/migration-result.ts';
import { formatDuration, formatSize } from '../src/core/units.ts';
import { migrateThreads } from './migration.ts';

/** A guest of 1 GiB that goes on writing, unthrottled; the memory that the source's process needs for it. */
export async function bigGuest(): Promise<void> {
  const pages = 262_144;
  const size = pages * 4096;
  const before = process.memoryUsage.rss();
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const course = await migrateThreads(
    pages,
    { kind: 'classes', classes: [{ pages: 4_000, writesPerSecond: 5 }] },
    null,
    { stop: { rule: 'rounds', rounds: 2 } },
  );
  clearInterval(watch);
  console.log(`a guest of ${formatSize(size)}, unthrottled: ${course.outcome}, ${course.verified.memory}`);
  console.log(`  total ${formatDuration(course.totalNs)}, downtime ${formatDuration(course.downtimeNs)}`);
  for (const [part, ns] of Object.entries(partsOf(course.downtimeParts))) {
    console.log(`    ${part.replace('Ns', '').padEnd(8)} ${formatDuration(ns)}`);
  }
  const beyond = most - before - size;
  console.log(
    `  memory of the source beyond the guest's own: ${formatSize(beyond)}, ${(beyond / size).toFixed(2)} × its size`,
  );
}
