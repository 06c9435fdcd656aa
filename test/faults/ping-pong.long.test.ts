import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, test } from 'vitest';
import { until } from '../fixtures/until.ts';
import type { Held, HostProcess } from './host-process.ts';
import { definition, Lane } from './lane.ts';

const legs = 20;
/** What processes need only once they have by then. The guest is at the same end whenever it is looked at. */
const WARM_LEGS = 6;
const looks = [WARM_LEGS, 12, legs];
/** Less than any one buffer of a migration, or a guest's memory: not one of them may stay. */
const MOST_BUFFER_GROWTH_BYTES = 200_000;
/** The heap of a process that does this for the first time goes on growing for a while: its code is compiled. */
const MOST_HEAP_GROWTH_BYTES = 4e6;
/** What is resident and was not given back: some of it is in pieces between what is held. 600 legs add 5 MB. */
const MOST_RESIDENT_GROWTH_BYTES = 16e6;

const lane = new Lane();
afterAll(() => lane.end());

/** So often, and so far apart, is looked for the least that a host holds before anything is compared with it. */
const WARM_LOOKS = 15;
const BETWEEN_LOOKS_MS = 100;

/** What a host holds once what it has let go of is collected: how soon that is, is the collector's business. */
async function heldAtLeast(host: HostProcess): Promise<Held> {
  let least = await host.ask('held');
  for (let look = 0; look < WARM_LOOKS; look++) {
    await sleep(BETWEEN_LOOKS_MS);
    const held = await host.ask('held');
    if (held.arrayBuffers < least.arrayBuffers) least = held;
  }
  return least;
}

/** The same again, as soon as it is no more than what it was. */
function heldAgain(host: HostProcess, warm: Held): Promise<Held> {
  const isBack = ({ descriptors, threads, arrayBuffers, heapUsed, rss }: Held) =>
    descriptors === warm.descriptors &&
    threads === warm.threads &&
    arrayBuffers - warm.arrayBuffers < MOST_BUFFER_GROWTH_BYTES &&
    heapUsed - warm.heapUsed < MOST_HEAP_GROWTH_BYTES &&
    rss - warm.rss < MOST_RESIDENT_GROWTH_BYTES;
  return until(`no more than ${JSON.stringify(warm)}`, () => host.ask('held'), isBack);
}

test(`a guest that moves ${legs} times is the one that never moved, and nothing grows`, {
  timeout: 300_000,
}, async () => {
  await lane.restart();
  const hosts = [lane.source, lane.destination] as const;
  await hosts[0].ask('boot', definition);
  const warm: Held[] = [];
  const lines: string[] = [];
  for (let leg = 1; leg <= legs; leg++) {
    await lane.migrate(hosts[(leg + 1) % 2]!, hosts[leg % 2]!);
    if (!looks.includes(leg)) continue;
    await lane.settled();
    for (const [index, host] of hosts.entries()) {
      const held = await (warm[index] ? heldAgain(host, warm[index]) : heldAtLeast(host));
      warm[index] ??= held;
      const end = index === 0 ? 'source' : 'destination';
      lines.push(`after ${leg} legs the ${end} holds ${JSON.stringify(held)}`);
    }
  }
  console.log(lines.join('\n'));
  await lane.expectWhole(hosts[0]);
});
