import { afterAll, expect, test } from 'vitest';
import { until } from '../fixtures/until.ts';
import type { Held } from './host-process.ts';
import { guest, Lane } from './lane.ts';

const legs = process.env.FAULTS === 'all' ? 100 : 10;
/** What processes need only once they have by then. The guest is at the same end whenever it is looked at. */
const WARM_LEGS = 6;
const looks = [WARM_LEGS, 16, 50, legs].filter((leg) => leg <= legs);
/** Less than any one buffer of a migration, or a guest's memory: not one of them may stay. */
const MOST_BUFFER_GROWTH_BYTES = 200_000;
/** The heap of a process that does this for the first time goes on growing for a while: its code is compiled. */
const MOST_HEAP_GROWTH_BYTES = 4e6;
/** Of what is resident goes up and down by tens of megabytes: allocators keep what threads that have ended had. */
const MOST_GROWTH_BYTES = 128e6;

const lane = new Lane();
afterAll(() => lane.end());

/** What a host holds once what it has let go of is collected: how soon that is, is the collector's business. */
async function heldAtLast(index: number, warm: Held | undefined): Promise<Held> {
  const host = [lane.source, lane.destination][index]!;
  const isBack = ({ descriptors, threads, arrayBuffers, heapUsed }: Held) =>
    warm === undefined ||
    (descriptors === warm.descriptors &&
      threads === warm.threads &&
      arrayBuffers - warm.arrayBuffers < MOST_BUFFER_GROWTH_BYTES &&
      heapUsed - warm.heapUsed < MOST_HEAP_GROWTH_BYTES);
  return until(`as little as ${JSON.stringify(warm)}`, () => host.ask('held'), isBack);
}

test(`a guest that moves ${legs} times is the one that never moved, and nothing grows`, {
  timeout: 300_000,
}, async () => {
  await lane.restart();
  const hosts = [lane.source, lane.destination] as const;
  await hosts[0].ask('boot', guest);
  const warm: Held[] = [];
  const lines: string[] = [];
  for (let leg = 1; leg <= legs; leg++) {
    await lane.migrate(hosts[(leg + 1) % 2]!, hosts[leg % 2]!);
    if (!looks.includes(leg)) continue;
    await lane.settled();
    for (const [index, end] of ['source', 'destination'].entries()) {
      const held = await heldAtLast(index, warm[index]);
      warm[index] ??= held;
      lines.push(`after ${leg} legs the ${end} holds ${JSON.stringify(held)}`);
      expect(held.rss - warm[index].rss, lines.at(-1)!).toBeLessThan(MOST_GROWTH_BYTES);
    }
  }
  console.log(lines.join('\n'));
  await lane.expectWhole(hosts[0]);
});
