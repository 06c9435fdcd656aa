import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { Admission, type Job, type JobKind } from '../../src/daemon/admission.ts';

const limits = { runningMigrations: 1, runningExperiments: 2, waiting: 3 };
const links = new Map([['lan', 100]]);

/** Jobs that run until they are told to end, and write down what happens to them. */
function stage(change: Partial<typeof limits> = {}) {
  const story: string[] = [];
  const seen: { reserved: number; waiting: number }[] = [];
  const admission: Admission = new Admission({ ...limits, ...change }, links, {
    waited() {},
    linksChanged: () =>
      seen.push({ reserved: admission.reservedOn('lan'), waiting: admission.waitingOn('lan') }),
  });
  const ends = new Map<string, () => void>();
  const job = (id: string, more: Partial<Job> = {}): Job => ({
    id,
    kind: 'migration' as JobKind,
    priority: 5,
    queueTimeoutMs: undefined,
    link: undefined,
    run: () =>
      new Promise((resolve) => {
        story.push(`${id} runs`);
        ends.set(id, resolve);
      }),
    dropped: (why) => story.push(`${id}: ${why}`),
    ...more,
  });
  /** Waits until it runs, however busy the machine is. */
  const runs = (...ids: string[]) =>
    vi.waitFor(() => expect(story).toEqual(expect.arrayContaining(ids.map((id) => `${id} runs`))), 20_000);
  const end = (id: string) => ends.get(id)!();
  return { admission, story, job, end, runs, seen };
}

/** Time in which everybody has taken their place, and in which somebody could begin who must not. */
const aWhile = () => sleep(50);
const onLan = (bytesPerSecond: number) => ({ name: 'lan', bytesPerSecond });

test('of those that wait the one of the highest priority goes first, and equals go in turn', async () => {
  const { admission, story, job, end, runs } = stage();
  admission.add(job('first'), undefined);
  await runs('first');
  for (const [id, priority] of [
    ['a', 5],
    ['b', 5],
    ['urgent', 0],
  ] as const) {
    admission.add(job(id, { priority }), undefined);
  }
  await aWhile();
  for (const [one, next] of [
    ['first', 'urgent'],
    ['urgent', 'a'],
    ['a', 'b'],
  ] as const) {
    end(one);
    await runs(next);
  }
  expect(story).toEqual(['first runs', 'urgent runs', 'a runs', 'b runs']);
});

test('kinds do not wait for each other', async () => {
  const { admission, story, job, runs } = stage({ waiting: 10 });
  admission.add(job('m'), undefined);
  for (const id of ['x', 'y', 'z']) admission.add(job(id, { kind: 'experiment' }), undefined);
  await runs('m', 'x', 'y');
  await aWhile();
  expect(story.length).toBe(3);
  expect(admission.queues()).toMatchObject([
    { kind: 'migration', waiting: 0, running: 1 },
    { kind: 'experiment', waiting: 1, running: 2 },
  ]);
});

test('what runs on a link stays within its capacity, and gives it back', async () => {
  const { admission, story, job, end, runs } = stage({ runningMigrations: 10 });
  admission.add(job('a', { link: onLan(60) }), 100);
  admission.add(job('b', { link: onLan(60) }), 100);
  await runs('a');
  await aWhile();
  expect(story).toEqual(['a runs']);
  expect([admission.reservedOn('lan'), admission.waitingOn('lan')]).toEqual([60, 1]);
  end('a');
  await runs('b');
  end('b');
  await vi.waitFor(() => expect(admission.reservedOn('lan')).toBe(0), 20_000);
});

test('what is more than the whole link, or one too many, is refused at once', () => {
  const { admission, job } = stage();
  expect(() => admission.add(job('wide', { link: onLan(101) }), 100)).toThrow(/whole of link 'lan'/);
  for (const id of ['1', '2', '3']) admission.add(job(id), undefined);
  expect(() => admission.add(job('4'), undefined)).toThrow('3 wait already');
});

test('one that has no more patience is dropped, and its place goes to the next', async () => {
  const { admission, story, job, end, runs } = stage();
  admission.add(job('first'), undefined);
  await runs('first');
  admission.add(job('hasty', { queueTimeoutMs: 10 }), undefined);
  admission.add(job('patient'), undefined);
  await vi.waitFor(() => expect(story.length).toBe(2), 20_000);
  end('first');
  await runs('patient');
  expect(story).toEqual(['first runs', 'hasty: it has waited for as long as it may', 'patient runs']);
});

test('a drain drops what waits, takes nothing more, and ends when nothing runs', async () => {
  const { admission, story, job, end, runs } = stage();
  admission.add(job('running'), undefined);
  await runs('running');
  admission.add(job('waiting'), undefined);
  let drained = false;
  const draining = admission.drain().then(() => {
    drained = true;
  });
  expect(() => admission.add(job('late'), undefined)).toThrow('about to end');
  await aWhile();
  expect(drained).toBe(false);
  end('running');
  await draining;
  expect(story).toEqual(['running runs', 'waiting: this daemon is about to end']);
});

test('whoever is told of links knows at every moment what is reserved and who waits', async () => {
  const { admission, job, end, runs, seen } = stage({ runningMigrations: 2 });
  admission.add(job('a', { link: onLan(70) }), 100);
  await runs('a');
  admission.add(job('b', { link: onLan(50) }), 100);
  expect(seen.at(-1)).toEqual({ reserved: 70, waiting: 1 });
  end('a');
  await runs('b');
  expect(seen.at(-1)).toEqual({ reserved: 50, waiting: 0 });
  admission.add(job('c', { link: onLan(60) }), 100);
  admission.drop('c', 'cancelled');
  expect(seen.at(-1)).toEqual({ reserved: 50, waiting: 0 });
  end('b');
  await vi.waitFor(() => expect(seen.at(-1)).toEqual({ reserved: 0, waiting: 0 }), 20_000);
});
