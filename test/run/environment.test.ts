import { describe, expect, test } from 'vitest';
import { migrationRecord } from '../../src/core/migration/record.ts';
import { recordSchema } from '../../src/daemon/record-schema.ts';
import { version } from '../../src/platform/package.ts';
import { environmentOf, scenarioDigest } from '../../src/run/environment.ts';
import { run } from '../../src/run/run.ts';
import { predictedMachine } from '../../src/scenario/machine-profile.ts';
import { experimentOf, onMachine, scenarioOf, seeded } from '../../src/scenario/scenario.ts';
import { machineProfileFile } from '../../src/scenario/scenario-file.ts';

const program = { kind: 'classes', classes: [{ pages: 50, writesPerSecond: 50 }] };
const scenario = { guest: { pages: 400, program }, link: { rate: '100Mbit/s' }, runs: 2 };
const experiment = (document: object) => experimentOf(scenarioOf(document, { name: 'small' }));
const digestOf = (document: object) => scenarioDigest(experiment(document).cells[0]!);

describe('the digest of a scenario', () => {
  test('does not depend on how it is written: order of keys, units, defaults, repetitions, seed', () => {
    const digest = digestOf(scenario);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const { guest, link } = scenario;
    expect(digestOf({ link: { rate: '100000kbit/s' }, guest: { program, pages: 400 } })).toBe(digest);
    expect(digestOf({ ...scenario, migration: { order: 'threshold' }, runs: 9, seed: 7 })).toBe(digest);
    expect(digestOf({ guest: { ...guest, pageSize: '4KiB' }, link })).toBe(digest);
  });

  test('depends on everything that is carried out', () => {
    const { guest, link } = scenario;
    const others = [
      { ...scenario, link: { rate: '101Mbit/s' } },
      { ...scenario, link: { ...link, latency: '1ms' } },
      { ...scenario, guest: { ...guest, name: 'another' } },
      { ...scenario, cpu: { scheduler: 'fair' } },
      { ...scenario, link: { ...link, capacity: '1Gbit/s' } },
      { ...scenario, background: [{ kind: 'cpu-hog', count: 1 }] },
    ];
    expect(new Set([scenario, ...others].map(digestOf)).size).toBe(others.length + 1);
  });

  test('is the same with the seeds of a run, which are beside it', () => {
    const [cell] = experiment(scenario).cells;
    const { share: _, settings: __, fleet: ___, ...rest } = cell!;
    expect(scenarioDigest({ ...rest, ...seeded(cell!, 5) })).toBe(scenarioDigest(rest));
  });
});

describe('a record', () => {
  test('says at its end what made it, and before that is the same on every machine', async () => {
    const small = experiment(scenario);
    const [result] = await run(small, { world: 'virtual' });
    const [first, second] = result!.records;
    expect(first!.environment).toEqual({
      version,
      node: process.version,
      kernel: expect.stringMatching(/^\w+ \S+/),
      processor: expect.stringMatching(/\S/),
      scenarioDigest: digestOf(scenario),
      machineProfile: null,
    });
    expect(Object.keys(first!).at(-1)).toBe('environment');
    expect(second!.environment).toEqual(first!.environment);
  });

  test('names the machine whose costs were added', () => {
    const machine = predictedMachine(machineProfileFile('typical'), 'threads');
    const [cell] = onMachine(experiment(scenario), machine).cells;
    const { scenarioDigest, machineProfile } = environmentOf(cell!);
    expect(machineProfile).toEqual({ name: machine.name, sha256: machine.sha256 });
    expect(scenarioDigest).toBe(digestOf(scenario));
  });

  test('of a version that did not say it is read as before', async () => {
    const [result] = await run(experiment(scenario), { world: 'virtual' });
    const { environment, ...older } = result!.records[0]!;
    expect(environment).toBeDefined();
    expect(recordSchema.safeParse(JSON.parse(JSON.stringify(older))).success).toBe(true);
    expect(recordSchema.parse(JSON.parse(JSON.stringify({ ...older, environment }))).environment).toEqual(
      environment,
    );
    expect(Object.keys(migrationRecord(older, older))).not.toContain('environment');
  });
});
