import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { predict } from '../src/run/predict.ts';
import { loadExperiment } from '../src/scenario/scenario.ts';

/** The cases of test/fixtures/field whose guests are large: what the model says of them. */
const predicted = (name: string) =>
  loadExperiment(join(import.meta.dirname, 'fixtures/field', `${name}.yaml`)).cells.map(
    (cell) => predict(cell).course,
  );

describe('04, a vendor’s article on nova: 831 MB are always dirty again', () => {
  test('it gives up after 800 s a GiB', () => {
    const [course] = predicted('04-nova-platform9');
    expect(course).toMatchObject({ converges: false });
    expect(course!.reason).toMatch(/^not completed after 1280\d s, stop.abortPerGiB/);
  });
});

describe('04b, nova’s steps: the eighth raise lets 45 MB pass', () => {
  test('it converges 9,600 s after the start, in the round that is under way then', () => {
    const [course] = predicted('04b-nova-late-step');
    expect(course).toMatchObject({ converges: true });
    expect(course!.totalNs! / 1e9).toBeGreaterThan(9_600);
    expect(course!.totalNs! / 1e9).toBeLessThan(9_601);
  });
});

describe('13, cloudstack#12733: 8 TB move with the machine within six hours', () => {
  test('at 3 and 10 Gbit/s, not at 2.9', () => {
    const courses = predicted('13-cloudstack-12733');
    expect(courses.map(({ converges }) => converges)).toEqual([false, true, true]);
    expect(courses[1]!.totalNs! / 1e9).toBeCloseTo(21_337, -1);
    expect(courses[2]!.totalNs! / 1e9).toBeCloseTo(6_400, -1);
  });
});

describe('13b, an idle guest over a slow link', () => {
  test('takes the 5,498 s of one pass, and stops when the limit of 300 ms is left', () => {
    const [course] = predicted('13b-idle-slow-link');
    expect(course!.totalNs! / 1e9).toBeCloseTo(5_498, 0);
    expect(course!.downtimeNs! / 1e6).toBeGreaterThan(297);
    expect(course!.downtimeNs! / 1e6).toBeLessThanOrEqual(300);
  });
});

describe('19, xen-devel: no suspension above 300 ms, rather no migration', () => {
  test('the stop after Xen’s rounds would take longer, and is not begun', () => {
    const [course] = predicted('19-xen-max-suspend');
    expect(course).toMatchObject({ converges: false, rounds: 5 });
    expect(course!.reason).toMatch(/longer than migration.stopTimeout allows, 300 ms/);
  });
});
