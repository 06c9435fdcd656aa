import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { carryOutKilled } from './case.ts';
import { Lanes } from './lanes.ts';

/** FAULTS=all: as many as the bench wants. FAULT_SEED=n begins elsewhere. */
const kills = process.env.FAULTS === 'all' ? 200 : 16;
const firstSeed = Number(process.env.FAULT_SEED ?? 1);

/** A migration here takes about 0.35 s; the latest kills come after it. */
const LATEST_MS = 600;

const lanes = new Lanes(3);
const tally = new Map<string, number>();

afterAll(async () => {
  await lanes.end();
  const lines = [...tally].sort(([, a], [, b]) => b - a).map(([how, count]) => `  ${count}  ${how}`);
  console.log([`kill −9, seeds ${firstSeed} to ${firstSeed + kills - 1}:`, ...lines].join('\n'));
});

describe.concurrent('kill −9 at a random instant: never two runners, never half a guest', () => {
  const seeds = Array.from({ length: kills }, (_, index) => firstSeed + index);
  test.each(seeds)('seed %i', { timeout: 240_000 }, async (seed) => {
    const random = Random.seeded(seed);
    const end = random.happens(0.5) ? 'source' : 'destination';
    const afterMs = random.uniform() * LATEST_MS;
    const outcome = await lanes.use((lane) => carryOutKilled(lane, end, afterMs));
    const how = `the ${end} is killed: ${outcome}`;
    tally.set(how, (tally.get(how) ?? 0) + 1);
    expect(outcome).not.toMatch(/cancelled|aborted/);
  });
});
