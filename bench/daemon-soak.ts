import { setTimeout as sleep } from 'node:timers/promises';
import { linearRegression } from 'simple-statistics';
import { Prometheus } from '../dashboards/check.ts';
import { Demo } from '../examples/demo.ts';
import { reading } from '../test/fixtures/daemons.ts';
import { answers } from './daemon.ts';

/** What must not grow, in /metrics/node, and by how much of its mean it may seem to within the second half. */
const watched = {
  heap: { series: 'nodejs_heap_size_used_bytes', unit: 2 ** 20, mayGrow: 0.05 },
  buffers: { series: 'nodejs_external_memory_bytes', unit: 2 ** 20, mayGrow: 0.05 },
  resident: { series: 'process_resident_memory_bytes', unit: 2 ** 20, mayGrow: 0.05 },
  descriptors: { series: 'process_open_fds', unit: 1, mayGrow: 0.05 },
} as const;
type Watched = keyof typeof watched;
const keys = Object.keys(watched) as Watched[];

type Sample = Readonly<Record<Watched, number>>;

/** Memory goes up and down as garbage is made and collected: of so many samples the least is what is kept. */
const SAMPLES_A_POINT = 30;

/**
 * The demonstration for some time, scraped by a Prometheus: do memory and open descriptors stay as they are, and what
 * does the dashboard of guarantees say in the end?
 * @returns whether they do
 */
export async function soak(seconds: number): Promise<boolean> {
  const demo = await Demo.start();
  const prometheus = await Prometheus.start(demo.addresses);
  try {
    let turns = 0;
    demo.drive(() => {
      turns += 1;
    });
    const samples: Sample[][] = demo.addresses.map(() => []);
    const everyMs = Math.min(1_000, (seconds * 1e3) / (20 * SAMPLES_A_POINT));
    const untilMs = performance.now() + seconds * 1e3;
    while (performance.now() < untilMs) {
      await sleep(everyMs);
      for (const [index, address] of demo.addresses.entries()) samples[index]!.push(await sampleOf(address));
    }
    console.log(`soak: ${seconds} s, ${turns} moves of the guest; memory in MiB`);
    const verdicts = ['alpha', 'beta'].map((name, index) => judged(name, points(samples[index]!), seconds));
    await answers(prometheus, seconds);
    return verdicts.every((isFlat) => isFlat);
  } finally {
    await prometheus.end();
    await demo.end();
  }
}

async function sampleOf(address: string): Promise<Sample> {
  const metrics = await (await fetch(`http://${address}/metrics/node`)).text();
  const amountOf = (key: Watched) => reading(metrics, watched[key].series)! / watched[key].unit;
  return Object.fromEntries(keys.map((key) => [key, amountOf(key)])) as Sample;
}

function points(samples: readonly Sample[]): readonly Sample[] {
  const groups = Array.from({ length: Math.floor(samples.length / SAMPLES_A_POINT) }, (_, index) =>
    samples.slice(index * SAMPLES_A_POINT, (index + 1) * SAMPLES_A_POINT),
  );
  return groups.map((group) => {
    const leastOf = (key: Watched) => Math.min(...group.map((sample) => sample[key]));
    return Object.fromEntries(keys.map((key) => [key, leastOf(key)])) as Sample;
  });
}

/** A line through the second half, when everything has been done once: it may not rise by more than what is noise. */
function judged(name: string, all: readonly Sample[], seconds: number): boolean {
  const half = all.slice(Math.floor(all.length / 2));
  const verdicts = keys.map((key) => {
    const { m, b } = linearRegression(half.map((point, index) => [index, point[key]]));
    const mean = b + (m * (half.length - 1)) / 2;
    const grown = m * (half.length - 1);
    const isFlat = grown <= watched[key].mayGrow * mean;
    const shown = all
      .filter((_, index) => index % Math.ceil(all.length / 20) === 0)
      .map((point) => Math.round(point[key]));
    const told = `${grown < 0 ? '−' : '+'}${Math.abs(grown).toFixed(1)} of ${mean.toFixed(0)} in the last ${Math.round(seconds / 2)} s`;
    console.log(`  ${name} ${key.padEnd(11)} ${isFlat ? 'flat ' : 'GROWS'} (${told}): ${shown.join(' ')}`);
    return isFlat;
  });
  return verdicts.every((isFlat) => isFlat);
}
