import { describe, expect, test } from 'vitest';
import { nothingSaid, type Sample } from '../../../src/observe/import/observation.ts';
import { readLogs } from '../../../src/observe/import/read-logs.ts';
import { predictObservation } from '../../../src/run/prediction/predict-observation.ts';
import { FollowedMigration } from '../../../src/run/watch/followed-migration.ts';

const log = 'test/fixtures/import/qemu-ycsb/Precopy_Convergent/mig-stats-run-2.json.gz';

function followed(samples: readonly Sample[]): FollowedMigration {
  const migration = new FollowedMigration();
  for (const sample of samples) migration.look({ samples: [sample] });
  return migration;
}

describe('a migration that is looked at again and again', () => {
  const { observation } = readLogs([log]);

  test('is known as well as from its whole log, of which only a part is kept', () => {
    const migration = followed(observation.samples);
    expect(migration.observation.dirtied).toEqual(observation.dirtied);
    expect(migration.observation.samples.length).toBeLessThan(observation.samples.length);
  });

  test('has at each moment the predicted end of its log until then', () => {
    const samples = observation.samples.filter(({ syncs }) => (syncs ?? 0) <= 4);
    const migration = followed(samples);
    migration.look({ samples: [], parameters: observation.parameters });
    const told = { stopRateBytesPerSecond: 2 * 2 ** 30 };
    const { atNs, syncs, predicted } = migration.progress('active', told);
    const untilThen = observation.dirtied.filter((dirtied) => dirtied.atNs! <= atNs);
    expect(syncs).toBe(4);
    expect(predicted).toEqual(predictObservation({ ...observation, samples, dirtied: untilThen }, told));
    expect(predicted!.totalNs!.p50 / 17.113e9).toBeCloseTo(1, 0);
  });

  test('in post-copy is not predicted by the rule of pre-copy', () => {
    expect(followed(observation.samples).progress('postcopy-active', {}).predicted).toBeNull();
  });

  test('that never ends is kept in so many samples only', () => {
    const migration = new FollowedMigration();
    const everySecond = Array.from({ length: 5_000 }, (_, syncs) => ({
      ...nothingSaid,
      atNs: syncs * 1e9,
      syncs,
    }));
    migration.look({ samples: everySecond });
    expect(migration.observation.samples).toHaveLength(4_000);
    expect(migration.observation.samples[0]!.atNs).toBe(0);
    expect(migration.last!.atNs).toBe(4_999e9);
  });
});
