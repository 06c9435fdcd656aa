import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TooMany, Turns } from '../../src/daemon/turns.ts';

const limits = fc.record({
  atOnce: fc.integer({ min: 1, max: 3 }),
  waitingInLane: fc.integer({ min: 1, max: 4 }),
  waiting: fc.nat(6),
});
const lanes = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 15 });

test('no more go at once or wait than may, and whoever is not refused has its turn, in the order of its lane', async () => {
  const property = fc.asyncProperty(limits, lanes, fc.scheduler(), async (limits, lanes, scheduler) => {
    const turns = new Turns(limits);
    let [going, mostGoing] = [0, 0];
    const begun: number[] = [];
    const all = lanes.map((lane, number) =>
      turns
        .take(lane, async () => {
          begun.push(number);
          mostGoing = Math.max(mostGoing, ++going);
          await scheduler.schedule(Promise.resolve());
          going -= 1;
          // One that fails leaves its place too.
          if (number % 2 === 0) throw new Error('failed');
        })
        .catch((cause) => cause),
    );
    await scheduler.waitFor(Promise.all(all));
    const refused = (await Promise.all(all)).map((cause) => cause instanceof TooMany);
    expect(mostGoing).toBeLessThanOrEqual(limits.atOnce);
    expect(begun.toSorted((one, other) => one - other)).toEqual(
      [...lanes.keys()].filter((number) => !refused[number]),
    );
    for (const lane of new Set(lanes)) {
      const ofIt = begun.filter((number) => lanes[number] === lane);
      expect(ofIt).toEqual(ofIt.toSorted((one, other) => one - other));
      expect(ofIt.length).toBeLessThanOrEqual(limits.atOnce + limits.waitingInLane);
    }
    expect(begun.length).toBeLessThanOrEqual(limits.atOnce + limits.waiting);
  });
  await fc.assert(property);
});

test('whoever is alone in its lane waits for one of another lane at most', async () => {
  const turns = new Turns({ atOnce: 1, waitingInLane: 10, waiting: 100 });
  const begun: string[] = [];
  const take = (lane: string) => turns.take(lane, async () => void begun.push(lane));
  const many = Array.from({ length: 8 }, () => take('many'));
  await Promise.all([...many, take('one')]);
  expect(begun.indexOf('one')).toBeLessThanOrEqual(2);
});
