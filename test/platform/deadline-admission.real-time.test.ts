import { type ChildProcess, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadlineAdmits } from '../../src/core/cpu/deadline-admission.ts';
import type { Reservation } from '../../src/core/cpu/reservation.ts';
import { Random } from '../../src/core/random.ts';
import { deadlineLimit } from '../../src/platform/deadline-limit.ts';
import { deadlineHeld } from '../../src/platform/deadline-threads.ts';
import { setDeadline, setNice } from '../../src/platform/thread-scheduling.ts';

/** Processes that sleep, each with a reservation or none: what the kernel admits depends on nothing else. */
const sleepers: ChildProcess[] = [];
const processors = cpus().length;
const ask = ({ pid }: ChildProcess, reservation: Reservation) =>
  setDeadline(reservation, { reclaim: false, thread: pid! });

let refused: string | undefined;
beforeAll(() => {
  for (let i = 0; i < processors + 2; i++) sleepers.push(spawn('sleep', ['600'], { stdio: 'ignore' }));
  refused = ask(sleepers[0]!, { budgetNs: 1e6, periodNs: 100e6 });
  setNice(0, sleepers[0]!.pid!);
  if (refused) console.log(`skipped, as the kernel keeps no reservations here: ${refused}`);
});
afterAll(() => {
  for (const sleeper of sleepers) sleeper.kill();
});

test('the kernel and we admit the same, request by request, up to a part of 2⁻²⁰', async ({ skip }) => {
  skip(refused !== undefined, refused);
  const random = Random.seeded(Date.now());
  const limit = deadlineLimit();
  const held = new Map<number, Reservation>();
  const all = (other: number, reservation?: Reservation) => {
    const others = [...held].filter(([index]) => index !== other).map(([, one]) => one);
    const asked = reservation ? [...others, reservation] : others;
    return asked.map(({ budgetNs, periodNs }) => ({ budget: budgetNs, period: periodNs }));
  };
  /** The largest budget that we would admit there. */
  const brim = (index: number, periodNs: number) => {
    let [least, most] = [1024, periodNs + 1];
    while (most - least > 1) {
      const budgetNs = Math.floor((least + most) / 2);
      if (deadlineAdmits(all(index, { budgetNs, periodNs }), processors, limit)) least = budgetNs;
      else most = budgetNs;
    }
    return least;
  };
  let agreed = 0;
  let full = 0;
  for (let request = 0; request < 40; request++) {
    const index = random.below(sleepers.length);
    const periodNs = 10_000_000 + random.below(90_000_000);
    const most = brim(index, periodNs);
    // Half of all requests are for exactly what is left, or for one nanosecond more.
    const budgetNs = random.happens(0.5)
      ? 1024 + random.below(periodNs - 1024)
      : Math.min(periodNs, most + random.below(2));
    const expected = deadlineAdmits(all(index, { budgetNs, periodNs }), processors, limit);
    const answer = ask(sleepers[index]!, { budgetNs, periodNs });
    // Somebody else's reservation, which comes and goes meanwhile, proves nothing about ours.
    if ((answer === undefined) !== expected) skip(deadlineHeld().others > 0, 'others hold reservations');
    expect([request, answer]).toEqual([request, expected ? undefined : 'EBUSY']);
    if (answer === undefined) held.set(index, { budgetNs, periodNs });
    agreed += 1;
    if (answer === undefined && budgetNs === most) full += 1;
    // What is held gives room again for what comes next.
    if (full % 3 === 2) {
      for (const [one, sleeper] of sleepers.entries()) {
        if (!held.has(one) || random.happens(0.5)) continue;
        expect(ask(sleeper, { budgetNs: 1024, periodNs: 100_000_000 })).toBeUndefined();
        held.set(one, { budgetNs: 1024, periodNs: 100_000_000 });
      }
    }
  }
  expect(agreed).toBe(40);
  skip(deadlineHeld().others > 0, 'others hold reservations');
  const ours = [...held.values()].reduce((sum, one) => sum + one.budgetNs / one.periodNs, 0);
  expect(deadlineHeld().own).toBeCloseTo(ours, 6);
});
