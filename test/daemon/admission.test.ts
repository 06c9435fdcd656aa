import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { KeptReservation } from '../../src/core/cpu/cpu-plan.ts';
import { Admission } from '../../src/daemon/admission.ts';
import { HostCpu } from '../../src/daemon/host-cpu.ts';
import type { Job, JobKind } from '../../src/daemon/job.ts';

const limits = { runningMigrations: 1, runningExperiments: 2, waiting: 3 };

/** Jobs that run until they are told to end, and write down what happens to them. */
function stage(change: Partial<typeof limits> = {}, processors = 2) {
  const story: string[] = [];
  const seen: object[] = [];
  const cpu = new HostCpu({ count: processors, time: processors, by: 'the machine' });
  const admission: Admission = new Admission({ ...limits, ...change }, new Map([['lan', 100]]), cpu, {
    waited() {},
    linksChanged: () => seen.push(lan()),
  });
  const lan = () => {
    const [link] = admission.links();
    return { reserved: link?.reservedBytesPerSecond, waiting: link?.waiting };
  };
  const ends = new Map<string, () => void>();
  const job = (id: string, more: Partial<Job> = {}): Job => ({
    id,
    kind: 'migration' as JobKind,
    priority: 5,
    queueTimeoutMs: undefined,
    cpu: { takes: [] },
    link: undefined,
    run: () =>
      new Promise((resolve) => {
        story.push(`${id} runs`);
        ends.set(id, resolve);
      }),
    dropped: (why) => story.push(`${id}: ${why}`),
    ...more,
  });
  const overLan = (id: string, rate: number, more: Partial<Job> = {}): Job => {
    const { priority } = { priority: 5, ...more };
    const rates = { rateBytesPerSecond: rate, stopRateBytesPerSecond: rate, leastBytesPerSecond: rate };
    return job(id, { link: { name: 'lan', request: { id, priority, ...rates } }, ...more });
  };
  const reload = (capacities: Record<string, number>) =>
    admission.change({ ...limits, ...change }, new Map(Object.entries(capacities)));
  return {
    admission,
    cpu,
    story,
    job,
    overLan,
    lan,
    seen,
    reload,
    end: (id: string) => ends.get(id)!(),
  };
}

/** Everybody who can begin has begun: whoever decides does so once all that happens at an instant has happened. */
const settled = () => sleep(0);
const tenths = (...budgets: number[]): KeptReservation[] =>
  budgets.map((budget) => ({ budgetNs: budget * 1e6, periodNs: 10e6, scheduler: 'cbs-hard' }));

test('of those that wait the one of the largest priority goes first, and equals go in turn', async () => {
  const { admission, story, job, end } = stage();
  admission.add(job('first'));
  await settled();
  admission.add(job('a'));
  admission.add(job('b'));
  admission.add(job('urgent', { priority: 9 }));
  for (const id of ['first', 'urgent', 'a']) {
    await settled();
    end(id);
  }
  await settled();
  expect(story).toEqual(['first runs', 'urgent runs', 'a runs', 'b runs']);
});

test('among equals the one whose time to wait ends first goes first, as on a link', async () => {
  const { admission, story, job, end } = stage();
  admission.add(job('first'));
  await settled();
  admission.add(job('patient'));
  admission.add(job('hasty', { queueTimeoutMs: 60_000 }));
  end('first');
  await settled();
  expect(story).toEqual(['first runs', 'hasty runs']);
  admission.drop('patient', 'cancelled');
});

test('kinds do not wait for each other', async () => {
  const { admission, story, job } = stage({ waiting: 10 });
  admission.add(job('m'));
  for (const id of ['x', 'y', 'z']) admission.add(job(id, { kind: 'experiment' }));
  await settled();
  expect(story).toEqual(['m runs', 'x runs', 'y runs']);
  expect(admission.queues()).toMatchObject([
    { kind: 'migration', waiting: 0, running: 1 },
    { kind: 'experiment', waiting: 1, running: 2 },
  ]);
});

test('one too many is refused at once', () => {
  const { admission, job } = stage();
  for (const id of ['1', '2', '3']) admission.add(job(id));
  expect(() => admission.add(job('4'))).toThrow('3 wait already');
});

test('one that may not wait any longer is dropped with what it waited for, and its place goes to the next', async () => {
  const { admission, story, job, end } = stage();
  admission.add(job('first'));
  await settled();
  admission.add(job('hasty', { queueTimeoutMs: 10 }));
  admission.add(job('patient'));
  await vi.waitFor(() => expect(story.length).toBe(2), 20_000);
  end('first');
  await settled();
  expect(story).toEqual([
    'first runs',
    'hasty: not admitted: not begun within 10 ms; it waited for its turn',
    'patient runs',
  ]);
});

test('a drain drops what waits, takes nothing more, and ends when nothing runs', async () => {
  const { admission, story, job, overLan, end, lan } = stage({ runningMigrations: 2 });
  admission.add(overLan('running', 60));
  admission.add(overLan('waiting', 60));
  await settled();
  expect(lan()).toEqual({ reserved: 60, waiting: 1 });
  let drained = false;
  const draining = admission.drain().then(() => {
    drained = true;
  });
  expect(() => admission.add(job('late'))).toThrow('about to end');
  await settled();
  expect(drained).toBe(false);
  expect(lan()).toEqual({ reserved: 60, waiting: 0 });
  end('running');
  await draining;
  await settled();
  expect(story).toEqual(['running runs', 'waiting: this daemon is about to end']);
  expect(lan()).toEqual({ reserved: 0, waiting: 0 });
});

test('whoever waits for one thing keeps nobody from another, and has nothing meanwhile', async () => {
  const { admission, cpu, story, job, overLan, end, lan } = stage({ runningMigrations: 2, waiting: 10 });
  admission.add(overLan('a', 60));
  await settled();
  admission.add(overLan('needs the link', 60, { priority: 9, cpu: { takes: tenths(9) } }));
  admission.add(job('needs no link', { cpu: { takes: tenths(9, 9) } }));
  await settled();
  expect(story).toEqual(['a runs', 'needs no link runs']);
  expect(lan()).toEqual({ reserved: 60, waiting: 1 });
  // Its link is there now, not the CPU: another may have the link.
  admission.add(overLan('needs no CPU', 60, { priority: 1 }));
  end('a');
  await settled();
  expect(story.at(-1)).toBe('needs no CPU runs');
  expect(cpu.view().holders.map(({ name }) => name)).toEqual(['needs no link']);
  end('needs no CPU');
  end('needs no link');
  await settled();
  expect(story.at(-1)).toBe('needs the link runs');
});

describe('a link', () => {
  test('is granted within its capacity, and given back', async () => {
    const { admission, story, overLan, end, lan } = stage({ runningMigrations: 10 });
    admission.add(overLan('a', 60));
    admission.add(overLan('b', 60));
    await settled();
    expect(story).toEqual(['a runs']);
    expect(lan()).toEqual({ reserved: 60, waiting: 1 });
    end('a');
    await settled();
    expect(story).toEqual(['a runs', 'b runs']);
    end('b');
    await settled();
    expect(lan()).toEqual({ reserved: 0, waiting: 0 });
  });

  test('that is too narrow for a request refuses it at once, with the numbers', () => {
    const { admission, overLan } = stage();
    expect(() => admission.add(overLan('wide', 101))).toThrow(
      "link 'lan': 808 bit/s asked of a link of 800 bit/s; at most 800 bit/s would fit",
    );
  });

  test('goes to the more urgent of two that wait, although the other would have been granted before', async () => {
    const { admission, story, overLan, end } = stage({ runningMigrations: 1 });
    admission.add(overLan('running', 40));
    await settled();
    // It would fit beside the one that runs, but its turn has not come; so it has no lease to keep the other from.
    admission.add(overLan('low', 60, { priority: 0 }));
    await settled();
    admission.add(overLan('high', 60, { priority: 9 }));
    end('running');
    await settled();
    expect(story).toEqual(['running runs', 'high runs']);
    end('high');
    await settled();
    expect(story.at(-1)).toBe('low runs');
  });

  test('that shrinks drops who will never fit, and revokes; one that grows lets in', async () => {
    const { admission, story, overLan, lan, reload } = stage({ runningMigrations: 3 });
    admission.add(overLan('running', 60));
    await settled();
    admission.add(overLan('large', 90));
    await settled();
    reload({ lan: 80 });
    await settled();
    expect(story.at(-1)).toBe(
      "large: not admitted: link 'lan': 720 bit/s asked of a link of 640 bit/s; at most 640 bit/s would fit",
    );
    expect(lan()).toEqual({ reserved: 60, waiting: 0 });
    admission.add(overLan('next', 30));
    await settled();
    expect(lan()).toEqual({ reserved: 60, waiting: 1 });
    reload({ lan: 90 });
    await settled();
    expect(story.at(-1)).toBe('next runs');
    reload({ lan: 50 });
    // The last one that was granted gives first; all that it has is too little, so the other has to give, too.
    expect(lan()).toEqual({ reserved: 0, waiting: 0 });
  });

  test('that vanishes is revoked, drops who waits, and is another when it comes again', async () => {
    const { admission, story, overLan, lan, end, reload } = stage({ runningMigrations: 3 });
    const stores: unknown[] = [];
    const holder = overLan('running', 60);
    const run: Job['run'] = (store) => {
      stores.push(store);
      return holder.run(store);
    };
    admission.add({ ...holder, run });
    admission.add(overLan('waiting', 60));
    await settled();
    reload({});
    await settled();
    expect(story.at(-1)).toBe("waiting: not admitted: link 'lan' is not in the configuration any more");
    expect(admission.links()).toEqual([]);
    expect(stores).toMatchObject([{ ledger: { leases: [{ id: 'running', grantedBytesPerSecond: 0 }] } }]);
    reload({ lan: 70 });
    admission.add(overLan('next', 70));
    await settled();
    expect(story.at(-1)).toBe('next runs');
    end('running');
    await settled();
    expect(stores).toMatchObject([{ ledger: { leases: [] } }]);
    expect(lan()).toEqual({ reserved: 70, waiting: 0 });
  });

  test('is told of at every moment: what is reserved, and who waits', async () => {
    const { admission, overLan, end, seen } = stage({ runningMigrations: 2 });
    admission.add(overLan('a', 70));
    await settled();
    admission.add(overLan('b', 50));
    await settled();
    expect(seen.at(-1)).toEqual({ reserved: 70, waiting: 1 });
    end('a');
    await settled();
    expect(seen.at(-1)).toEqual({ reserved: 50, waiting: 0 });
    admission.add(overLan('c', 60));
    await settled();
    expect(seen.at(-1)).toEqual({ reserved: 50, waiting: 1 });
    admission.drop('c', 'cancelled');
    await settled();
    expect(seen.at(-1)).toEqual({ reserved: 50, waiting: 0 });
    end('b');
    await settled();
    expect(seen.at(-1)).toEqual({ reserved: 0, waiting: 0 });
  });
});

describe('the processors', () => {
  const experiment = { kind: 'experiment' as const };

  test('are reserved for three experiments within what there is, one after another', async () => {
    const { admission, cpu, story, job, end } = stage({ runningExperiments: 3 });
    for (const id of ['x', 'y', 'z']) admission.add(job(id, { ...experiment, cpu: { takes: tenths(8, 8) } }));
    for (const [index, id] of ['x', 'y', 'z'].entries()) {
      await settled();
      expect(story.length).toBe(index + 1);
      expect(story.at(-1)).toBe(`${id} runs`);
      expect(cpu.view().reserved).toEqual({ guest: 0, migration: 0, experiment: 1.6 });
      end(id);
    }
    await settled();
    expect(cpu.view().holders).toEqual([]);
  });

  test('that can never bear a job have it refused at once, with the numbers', () => {
    const { admission, cpu, job } = stage();
    cpu.take('guest', 'stream', tenths(3));
    expect(() => admission.add(job('greedy', { ...experiment, cpu: { takes: tenths(8, 8, 8) } }))).toThrow(
      '0.80 and 0.80 and 0.80 of a processor asked for, 0.30 in use, of 2; at most 0.95 of each may be reserved',
    );
    // With its own guest, which stays until it has ended.
    const { admission: narrow, job: move } = stage({}, 1);
    const beside = { takes: tenths(5), beside: tenths(5) };
    expect(() => narrow.add(move('sender', { cpu: beside }))).toThrow('0.50 of a processor asked for');
    expect(() => narrow.add(move('small sender', { cpu: { ...beside, takes: tenths(4) } }))).not.toThrow();
  });

  test('are not overtaken on: a small one behind a large one waits with it, unless the large one waits for a guest', async () => {
    const { admission, cpu, story, job, end } = stage({ runningMigrations: 3, waiting: 10 });
    admission.add(job('running', { cpu: { takes: tenths(9) } }));
    await settled();
    admission.add(job('large', { cpu: { takes: tenths(9, 9) } }));
    admission.add(job('small', { cpu: { takes: tenths(1) } }));
    admission.add(job('free'));
    await settled();
    expect(story).toEqual(['running runs', 'free runs']);
    const remove = cpu.take('guest', 'stays', tenths(2));
    admission.drop('nobody', '');
    end('free');
    await settled();
    expect(story.at(-1)).toBe('small runs');
    end('running');
    end('small');
    await settled();
    expect(story.at(-1)).toBe('small runs');
    remove();
    await settled();
    expect(story.at(-1)).toBe('large runs');
  });
});
