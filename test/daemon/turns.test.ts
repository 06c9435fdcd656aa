import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TooMany, Turns } from '../../src/daemon/turns.ts';

test('no more go at once than may, whoever waits has its turn in order, and whoever is too many is told', async () => {
  const limits = fc.record({ atOnce: fc.integer({ min: 1, max: 3 }), waiting: fc.nat(3) });
  const property = fc.asyncProperty(limits, fc.scheduler(), fc.nat(12), async (limits, scheduler, asked) => {
    const turns = new Turns('tests', limits);
    let going = 0;
    let most = 0;
    const begun: number[] = [];
    const all = Array.from({ length: asked }, (_, number) =>
      turns
        .take(async () => {
          begun.push(number);
          most = Math.max(most, ++going);
          await scheduler.schedule(Promise.resolve());
          going -= 1;
          // One that fails leaves its place too.
          if (number % 2 === 0) throw new Error('failed');
        })
        .catch((cause) => cause),
    );
    await scheduler.waitFor(Promise.all(all));
    const refused = (await Promise.all(all)).filter((cause) => cause instanceof TooMany).length;
    expect(refused).toBe(Math.max(0, asked - limits.atOnce - limits.waiting));
    expect(most).toBeLessThanOrEqual(limits.atOnce);
    expect(begun).toEqual(Array.from({ length: asked - refused }, (_, number) => number));
  });
  await fc.assert(property);
});
