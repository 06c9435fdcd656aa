import { Random } from '../src/core/random.ts';
import { heard, mutated, recorded } from '../test/fixtures/hostile-stream.ts';

const INPUTS = 1_000_000;
const SEED = 1;

/**
 * Mutated recordings of valid streams against both ends of the wire, with a key and without: every one must be
 * accepted or end in a WireError, and leave nothing behind in memory.
 */
export function fuzz(inputs = INPUTS, seed = SEED): void {
  const random = Random.seeded(seed);
  const tally = new Map<string, number>();
  const heapBefore = heapBytes();
  let bytes = 0;
  const startedAt = performance.now();
  for (let input = 0; input < inputs; input++) {
    const recording = recorded[input % recorded.length]!;
    const chunks = mutated(random, recording);
    for (const { length } of chunks) bytes += length;
    const name = nameOf(heard(recording, chunks));
    tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const grown = heapBytes() - heapBefore;
  console.log(
    `wire: ${inputs} mutated inputs (seed ${seed}), ${(bytes / 1e6).toFixed(0)} MB: ${(inputs / seconds).toFixed(0)} inputs/s; nothing thrown but WireErrors; heap and buffers grew by ${(grown / 1e6).toFixed(2)} MB`,
  );
  for (const [name, count] of [...tally].sort(([, a], [, b]) => b - a)) {
    console.log(`  ${String(count).padStart(8)}  ${name}`);
  }
}

/** A message without its figures: what kind of error it is. */
function nameOf(message: string): string {
  if (message.startsWith('hello: ') && message !== 'hello: not JSON') return 'hello: a field that is wrong';
  return message
    .replace(/^'\w+' while (.*); expected .*/, 'a frame out of turn while $1')
    .replace(/; expected .*/, '')
    .replace(/version .*? of/, 'version … of')
    .replace(/\d+/g, 'n');
}

function heapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
