import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Admission, type Job, type JobKind } from '../../src/daemon/admission.ts';

const limits = { runningMigrations: 1, runningExperiments: 2, waiting: 3 };
const links = new Map([['lan', 100]]);

/** Jobs that run until they are told to end, and write down what happens to them. */
function stage(change: Partial<typeof limits> = {}) {
  const story: string[] = [];
  const admission = new Admission({ ...limits, ...change }, links, () => {});
  const ends = new Map<string, () => void>();
  const job = (id: string, more: Partial<Job> = {}): Job => ({
    id,
    kind: 'migration' as JobKind,
    priority: 5,
    patienceMs: undefined,
    link: undefined,
    run: () =>
      new Promise((resolve) => {
        story.push(`${id} runs`);
        ends.set(id, resolve);
      }),
    dropped: (why) => story.push(`${id}: ${why}`),
    ...more,
  });
  const end = async (id: string) => {
    ends.get(id)!();
    await settled();
  };
  return { admission, story, job, end };
}

/** Long enough for whoever may run to begin. */
const settled = () => sleep(50);
const onLan = (bytesPerSecond: number) => ({ name: 'lan', bytesPerSecond });

test('of those that wait the one of the highest priority goes first, and equals go in turn', async () => {
  const { admission, story, job, end } = stage();
  admission.add(job('first'), undefined);
  await settled();
  for (const [id, priority] of [
    ['a', 5],
    ['b', 5],
    ['urgent', 0],
  ] as const)
    admission.add(job(id, { priority }), undefined);
  await end('first');
  await end('urgent');
  await end('a');
  expect(story).toEqual(['first runs', 'urgent runs', 'a runs', 'b runs']);
});

test('kinds do not wait for each other', async () => {
  const { admission, story, job } = stage();
  admission.add(job('m'), undefined);
  for (const id of ['x', 'y', 'z']) admission.add(job(id, { kind: 'experiment' }), undefined);
  await settled();
  expect([...story].sort()).toEqual(['m runs', 'x runs', 'y runs']);
  expect(admission.queues()).toMatchObject([
    { kind: 'migration', waiting: 0, running: 1 },
    { kind: 'experiment', waiting: 1, running: 2 },
  ]);
});

test('what runs on a link stays within its capacity, and gives it back', async () => {
  const { admission, story, job, end } = stage({ runningMigrations: 10 });
  admission.add(job('a', { link: onLan(60) }), 100);
  admission.add(job('b', { link: onLan(60) }), 100);
  await settled();
  expect(story).toEqual(['a runs']);
  expect([admission.reservedOn('lan'), admission.waitingOn('lan')]).toEqual([60, 1]);
  await end('a');
  expect(story).toEqual(['a runs', 'b runs']);
  await end('b');
  expect(admission.reservedOn('lan')).toBe(0);
});

test('what is more than the whole link, or one too many, is refused at once', () => {
  const { admission, job } = stage();
  expect(() => admission.add(job('wide', { link: onLan(101) }), 100)).toThrow(/whole of link 'lan'/);
  for (const id of ['1', '2', '3']) admission.add(job(id), undefined);
  expect(() => admission.add(job('4'), undefined)).toThrow('3 wait already');
});

test('one that has no more patience is dropped, and its place goes to the next', async () => {
  const { admission, story, job, end } = stage();
  admission.add(job('first'), undefined);
  await settled();
  admission.add(job('hasty', { patienceMs: 10 }), undefined);
  admission.add(job('patient'), undefined);
  await settled();
  await end('first');
  expect(story).toEqual(['first runs', 'hasty: it has waited for as long as it may', 'patient runs']);
});

test('a drain drops what waits, takes nothing more, and ends when nothing runs', async () => {
  const { admission, story, job, end } = stage();
  admission.add(job('running'), undefined);
  await settled();
  admission.add(job('waiting'), undefined);
  let drained = false;
  const draining = admission.drain().then(() => {
    drained = true;
  });
  expect(() => admission.add(job('late'), undefined)).toThrow('about to end');
  await settled();
  expect(drained).toBe(false);
  await end('running');
  await draining;
  expect(story).toEqual(['running runs', 'waiting: this daemon is about to end']);
});
