import { availableParallelism } from 'node:os';
import { type Fuzzed, fuzzed, kinds } from '../test/fixtures/fuzzed-inputs.ts';

const MOST_MS = 1_000;
const MOST_ABOVE_IDLE_BYTES = 256 * 1024 * 1024;

/**
 * Spoilt inputs of every kind that comes from strangers, users and disks: each must be taken or refused, within a second,
 * and all of them in 256 MiB beyond what the process has anyway.
 * @returns whether all that was so
 */
export async function fuzz(inputs: number, seed: number, only?: string): Promise<boolean> {
  console.log(`${inputs} inputs from seed ${seed}, on ${availableParallelism()} processors\n`);
  const asked = kinds.filter(({ name }) => only === undefined || name === only);
  if (asked.length === 0) throw new Error(`no inputs are called '${only}'`);
  let isWell = true;
  for (const kind of asked) {
    const sinceMs = performance.now();
    const found = await fuzzed(kind, Math.round(kind.share * inputs), seed);
    console.log(told(found, (performance.now() - sinceMs) / 1e3));
    isWell &&= found.faults.length === 0 && isQuick(found) && found.aboveIdleBytes <= MOST_ABOVE_IDLE_BYTES;
  }
  console.log(isWell ? 'all as it should be' : 'NOT as it should be');
  return isWell;
}

/** One that waits for a processor, while others have it, is not slow. */
function isQuick({ slowestMs, slowestCpuMs }: Fuzzed): boolean {
  return Math.min(slowestMs, slowestCpuMs) <= MOST_MS;
}

function told(found: Fuzzed, seconds: number): string {
  const { kind, inputs, outcomes, faults, slowestMs, slowestCpuMs, aboveIdleBytes } = found;
  const all = [...outcomes].sort(([, one], [, other]) => other - one).slice(0, 8);
  return [
    `${kind}: ${inputs} in ${seconds.toFixed(0)} s, ${(inputs / seconds).toFixed(0)}/s; ${faults.length} faults`,
    `  ${all.map(([outcome, count]) => `${count} × ${outcome.split('\n')[0]}`).join(', ')}`,
    `  slowest ${slowestMs.toFixed(0)} ms (${slowestCpuMs.toFixed(0)} ms of CPU); at most ${(aboveIdleBytes / 2 ** 20).toFixed(0)} MiB above idle`,
    ...faults.slice(0, 10).map((fault) => `  ${fault}`),
  ].join('\n');
}
