import { afterAll, beforeAll, describe, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { carryOutKilled, framesOf, type Kill } from './kill.ts';
import { Lanes } from './lanes.ts';
import { phases } from './phases.ts';

const kills = 10;
/** FAULT_SEED=n begins elsewhere. */
const firstSeed = Number(process.env.FAULT_SEED ?? 1);
/** So long after its frame at most: a page takes 0.4 ms on the link, the hand-over a few. */
const LATEST_MS = 5;

const lanes = new Lanes(3);
const tally = new Map<string, number>();
let frames = 0;

beforeAll(async () => {
  frames = await lanes.use(framesOf);
});

afterAll(async () => {
  await lanes.end();
  console.log(
    [
      `kill −9, seeds ${firstSeed} to ${firstSeed + kills - 1}, ${frames} frames in an undisturbed migration:`,
      ...['source', 'destination'].flatMap((end) =>
        [...phases, 'afterwards'].flatMap((phase) => linesOf(`the ${end} is killed in ${phase}`)),
      ),
    ].join('\n'),
  );
});

function linesOf(when: string): string[] {
  const those = [...tally].filter(([how]) => how.startsWith(`${when}:`));
  return those.map(([how, count]) => `${String(count).padStart(5)}  ${how}`);
}

/**
 * Every other instant is any of all frames; but of these nearly all are pages of the first round, so that the others are
 * the first frame of a phase, each phase alike.
 */
function drawn(seed: number): Kill {
  const random = Random.seeded(seed);
  const end = random.happens(0.5) ? 'source' : 'destination';
  const afterMs = random.uniform() * LATEST_MS;
  const phase = phases[random.below(phases.length)]!;
  const number = 1 + random.below(frames);
  const isAnyFrame = random.happens(0.5);
  return { end, afterMs, at: (passage) => (isAnyFrame ? passage.frames >= number : passage.phase === phase) };
}

describe.concurrent('kill −9 at a random instant: never two runners, never half a guest', () => {
  const seeds = Array.from({ length: kills }, (_, index) => firstSeed + index);
  test.each(seeds)('seed %i', { timeout: 240_000 }, async (seed) => {
    const { phase, outcome } = await lanes.use((lane) => carryOutKilled(lane, drawn(seed)));
    const how = `the ${drawn(seed).end} is killed in ${phase}: ${outcome}`;
    tally.set(how, (tally.get(how) ?? 0) + 1);
  });
});
