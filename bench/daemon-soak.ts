import { setTimeout as sleep } from 'node:timers/promises';
import { linearRegression, mean } from 'simple-statistics';
import { Prometheus } from '../dashboards/check.ts';
import { Demo } from '../examples/demo.ts';
import { reasonOf } from '../src/platform/failure.ts';
import { reading } from '../test/fixtures/daemons.ts';
import { answers } from './daemon.ts';

/**
 * What must not grow, in /metrics/node, and what of growth is none however small the mean: in MiB, or descriptors. A daemon remembers the
 * latest 200 migrations and 200 experiments, which are 1 to 1.5 MiB of heap; 10 minutes do not fill that.
 */
const watched = {
  heap: { series: 'nodejs_heap_size_used_bytes', unit: 2 ** 20, trifle: 2 },
  buffers: { series: 'nodejs_external_memory_bytes', unit: 2 ** 20, trifle: 1 },
  resident: { series: 'process_resident_memory_bytes', unit: 2 ** 20, trifle: 1 },
  descriptors: { series: 'process_open_fds', unit: 1, trifle: 2 },
} as const;
type Watched = keyof typeof watched;
/** Growth within the second half, as a share of the mean, that is called none. */
const MAY_GROW = 0.05;
/** `unclear`: the interval of the growth, at 95 %, has that share in it: a longer soak, or a quieter machine, would say. */
export type Verdict = 'flat' | 'unclear' | 'GROWS';
const keys = Object.keys(watched) as Watched[];

type Sample = Readonly<Record<Watched, number>>;

/** A move and the experiment after it take some 5 s. */
const STANDS_STILL_MS = 60_000;

/** Until what has ended is gone; and for a daemon to collect. */
const SETTLE_MS = 500;

/**
 * The demonstration for some time, scraped by a Prometheus: do memory and open descriptors stay as they are, and what
 * does the dashboard of guarantees say in the end? They are looked at in its rests with the guest at beta, so in one state, once both
 * daemons have collected their garbage: memory goes up and down by guests and threads all the same.
 * @returns the worst of the verdicts
 */
export async function soak(seconds: number): Promise<Verdict> {
  const demo = await collecting(() => Demo.start());
  const prometheus = await Prometheus.start(demo.addresses);
  try {
    let turns = 0;
    let movedAtMs = performance.now();
    const untilMs = movedAtMs + seconds * 1e3;
    const samples: Sample[][] = demo.addresses.map(() => []);
    const log = (line: string) => {
      turns += 1;
      movedAtMs = performance.now();
      if (!line.includes(': completed, ')) console.log(`  after ${turns} moves: ${line}`);
    };
    demo.drive(log, async (at) => {
      await sleep(SETTLE_MS);
      if (at !== 1) return;
      // Twice: what a first collection lets go may have kept other things.
      for (let time = 0; time < 2; time++) {
        for (const pid of demo.pids) process.kill(pid, 'SIGUSR2');
        await sleep(SETTLE_MS);
      }
      for (const [index, address] of demo.addresses.entries()) samples[index]!.push(await sampleOf(address));
    });
    while (performance.now() < untilMs) {
      await sleep(1_000);
      // A demonstration that stands still holds what it holds, which says nothing.
      if (performance.now() - movedAtMs > STANDS_STILL_MS) {
        console.log(
          `soak: no move any more after ${turns}; what has not ended: ${await unended(demo.addresses)}`,
        );
        return 'unclear';
      }
    }
    console.log(`soak: ${seconds} s, ${turns} moves of the guest; memory in MiB, once collected`);
    const verdicts = ['alpha', 'beta'].flatMap((name, index) => judged(name, samples[index]!, seconds));
    await answers(prometheus, seconds);
    return (['GROWS', 'unclear'] as const).find((one) => verdicts.includes(one)) ?? 'flat';
  } finally {
    await prometheus.end();
    await demo.end();
  }
}

interface Job {
  readonly endedAt: string | null;
}

/** The migrations and experiments that are under way, and which daemon does not say. */
async function unended(addresses: readonly string[]): Promise<string> {
  const paths = addresses.flatMap((address) =>
    ['migrations', 'experiments'].map((kind) => `http://${address}/api/${kind}`),
  );
  const told = await Promise.all(
    paths.map(async (path) => {
      try {
        const jobs = (await (await fetch(path, { signal: AbortSignal.timeout(10_000) })).json()) as Job[];
        return jobs.filter(({ endedAt }) => endedAt === null);
      } catch (cause) {
        return [`${path}: ${reasonOf(cause)}`];
      }
    }),
  );
  return JSON.stringify(told.flat());
}

/**
 * Daemons that are started meanwhile have `held-memory.ts`, and a young generation that stays as small as it can be: V8 makes it
 * 2 to 32 MiB large, as objects come and go, which says nothing of what is held.
 */
async function collecting<T>(start: () => Promise<T>): Promise<T> {
  const { env } = process;
  const usual = env.NODE_OPTIONS ?? '';
  const preload = new URL('held-memory.js', import.meta.url);
  env.NODE_OPTIONS = `${usual} --expose-gc --max-semi-space-size=1 --import=${preload}`;
  try {
    return await start();
  } finally {
    env.NODE_OPTIONS = usual;
  }
}

async function sampleOf(address: string): Promise<Sample> {
  const signal = AbortSignal.timeout(30_000);
  const metrics = await (await fetch(`http://${address}/metrics/node`, { signal })).text();
  const amountOf = (key: Watched) => reading(metrics, watched[key].series)! / watched[key].unit;
  return Object.fromEntries(keys.map((key) => [key, amountOf(key)])) as Sample;
}

/** By the slope of a line through the second half, when everything has been done once. */
function judged(name: string, all: readonly Sample[], seconds: number): readonly Verdict[] {
  const half = all.slice(Math.floor(all.length / 2));
  return keys.map((key) => {
    const values = half.map((sample) => sample[key]);
    const { low, value, high } = growth(values);
    const allowed = Math.max(watched[key].trifle, MAY_GROW * mean(values));
    const isTold = half.length >= LEAST_SAMPLES && high <= allowed;
    const verdict = low > allowed ? 'GROWS' : isTold ? 'flat' : 'unclear';
    const amount = `${signed(value)} [${signed(low)}, ${signed(high)}] of ${mean(values).toFixed(0)}`;
    const shown = all.map((sample) => Math.round(sample[key])).join(' ');
    console.log(
      `  ${name} ${key.padEnd(11)} ${verdict.padEnd(7)} (${amount} in the last ${Math.round(seconds / 2)} s): ${shown}`,
    );
    return verdict;
  });
}

/** Of Student's t with 8 degrees of freedom and more, the 97.5 % quantile is at most this: with 10 samples and more. */
const T = 2.31;
const LEAST_SAMPLES = 10;

/** What a line through the values rises by from the first to the last, with an interval at 95 %. */
function growth(values: readonly number[]): {
  readonly low: number;
  readonly value: number;
  readonly high: number;
} {
  const { m, b } = linearRegression(values.map((value, index) => [index, value]));
  const count = values.length;
  const squares = values.reduce((sum, value, index) => sum + (value - b - m * index) ** 2, 0);
  const error = Math.sqrt(squares / (count - 2) / ((count * (count ** 2 - 1)) / 12));
  const steps = count - 1;
  return { low: (m - T * error) * steps, value: m * steps, high: (m + T * error) * steps };
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
}
