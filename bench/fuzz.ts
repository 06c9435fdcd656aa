import { availableParallelism } from 'node:os';
import { type Fuzzed, fuzzed, kinds } from '../test/fixtures/fuzzed-inputs.ts';

const MOST_CPU_MS = 1_000;
const MOST_ABOVE_IDLE_BYTES = 256 * 1024 * 1024;

/**
 * Spoilt inputs of every kind that comes from strangers, users and disks: each must be taken or refused, within a second
 * of CPU time, and all of them in 256 MiB beyond what the process has anyway. A run that is cut short can be gone on with
 * from the seed that it named last, and several can share the seeds.
 * @param only all inputs are of this kind
 * @returns whether all that was so
 */
export async function fuzz(inputs: number, seed: number, only?: string): Promise<boolean> {
  console.log(`${inputs} inputs from seed ${seed}, on ${availableParallelism()} processors\n`);
  const asked = kinds.filter(({ name }) => only === undefined || name === only);
  if (asked.length === 0) throw new Error(`no inputs are called '${only}'`);
  let isWell = true;
  for (const kind of asked) {
    const sinceMs = performance.now();
    const share = only === undefined ? kind.share : 1;
    const elapsedS = () => (performance.now() - sinceMs) / 1e3;
    const found = await fuzzed(kind, Math.round(share * inputs), seed, (soFar) => {
      console.log(`up to seed ${seed + soFar.inputs - 1}: ${told(soFar, elapsedS())}`);
    });
    console.log(told(found, elapsedS()));
    isWell &&=
      found.faults.length === 0 &&
      found.slowestCpuMs <= MOST_CPU_MS &&
      found.aboveIdleBytes <= MOST_ABOVE_IDLE_BYTES;
  }
  console.log(isWell ? 'all as it should be' : 'NOT as it should be');
  return isWell;
}

function told(found: Fuzzed, seconds: number): string {
  const { kind, inputs, outcomes, faults, slowestMs, slowestCpuMs, aboveIdleBytes } = found;
  const all = [...outcomes].sort(([, one], [, other]) => other - one).slice(0, 8);
  return [
    `${kind}: ${inputs} in ${seconds.toFixed(0)} s, ${(inputs / seconds).toFixed(0)}/s; ${faults.length} faults`,
    `  ${all.map(([outcome, count]) => `${count} × ${outcome.split('\n')[0]}`).join(', ')}`,
    `  slowest ${slowestCpuMs.toFixed(0)} ms of CPU (${slowestMs.toFixed(0)} ms); at most ${(aboveIdleBytes / 2 ** 20).toFixed(0)} MiB above idle`,
    ...faults.slice(0, 10).map((fault) => `  ${fault}`),
  ].join('\n');
}
