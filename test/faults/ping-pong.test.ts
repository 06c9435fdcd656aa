import { afterAll, expect, test } from 'vitest';
import { guest, Lane } from './lane.ts';

const legs = process.env.FAULTS === 'all' ? 100 : 16;
/** What processes need only once they have by then. */
const WARM_LEGS = 6;
/** Of what is resident; the collector gives back when it likes. */
const MOST_GROWTH_BYTES = 64e6;

const lane = new Lane();
afterAll(() => lane.end());

test(`a guest that moves ${legs} times is the one that never moved, and nothing grows`, {
  timeout: 300_000,
}, async () => {
  await lane.restart();
  const hosts = [lane.source, lane.destination] as const;
  const held = () => Promise.all(hosts.map((host) => host.ask('held')));
  await hosts[0].ask('boot', guest);
  let warm = await held();
  for (let leg = 0; leg < legs; leg++) {
    if (leg === WARM_LEGS) warm = await held();
    await lane.migrate(hosts[leg % 2]!, hosts[(leg + 1) % 2]!);
  }
  await lane.expectWhole(hosts[0]);
  await lane.settled();
  const end = await held();
  for (const [index, { descriptors, threads, rss, arrayBuffers }] of end.entries()) {
    const before = warm[index]!;
    const growth = `after ${WARM_LEGS} legs ${JSON.stringify(before)}, after ${legs} ${JSON.stringify(end[index])}`;
    expect({ descriptors, threads }, growth).toEqual({
      descriptors: before.descriptors,
      threads: before.threads,
    });
    expect(rss - before.rss, growth).toBeLessThan(MOST_GROWTH_BYTES);
    expect(arrayBuffers - before.arrayBuffers, growth).toBeLessThan(2 * guest.pages * guest.pageSizeBytes);
    console.log(`${['source', 'destination'][index]}: ${growth}`);
  }
});
