import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mostGranted, recordsIn } from '../fixtures/admissions.ts';
import { switchover } from '../fixtures/command.ts';
import { idle, three } from '../fixtures/three-guests.ts';

const MBIT = 125_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function scenario(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('three migrations over one link', () => {
  test('each have their reservation at the same time, in threads', { retry: 2 }, async () => {
    const file = scenario('three.yaml', three);
    const { code, stdout } = await switchover('run', file, '--world', 'threads', '--json', '-');
    expect(code).toBe(0);
    const records = recordsIn(stdout);
    expect(new Set(records.map(({ guest }) => guest.name))).toEqual(new Set(['slow', 'middle', 'fast']));
    expect(mostGranted(records)).toBe(100 * MBIT);
    for (const { link, plan, admission } of records) {
      expect(admission).toMatchObject({ waitedNs: 0, grantedBytesPerSecond: plan.rateBytesPerSecond });
      // Never more than was reserved, whatever else the machine does.
      expect(link.worstExcessBytes).toBeLessThanOrEqual(0);
    }
  });

  test('are told to give up or to slow down when the link loses capacity, in threads', {
    retry: 1,
  }, async () => {
    const text = three
      .replace('50Mbit/s', '50Mbit/s, link.least: 5Mbit/s')
      .replace('name: slow', 'name: slow, priority: 1')
      .replace('depth: 512KiB', 'depth: 512KiB, changes: [{ at: 500ms, capacity: 40Mbit/s }]');
    const file = scenario('revoked.yaml', text);
    const { code, stdout } = await switchover('run', file, '--world', 'threads', '--json', '-');
    expect(code).toBe(0);
    const by = Object.fromEntries(recordsIn(stdout).map((record) => [record.guest.name, record]));
    expect(by.slow!.admission!.revocations).toEqual([]);
    expect(by.slow!.outcome).toBe('completed');
    // 60 have to go. The last one gives first: all of its 50, as none of it would be left. The next cannot do with less.
    expect(by.middle).toMatchObject({ outcome: 'aborted', owner: 'source' });
    expect(by.middle!.reason).toBe(
      'the reservation of 30 Mbit/s was revoked: the link has only 40 Mbit/s left',
    );
    expect(by.fast!.admission!.revocations.map(({ rateBytesPerSecond }) => rateBytesPerSecond)).toEqual([0]);
    for (const { link } of Object.values(by)) expect(link.worstExcessBytes).toBeLessThanOrEqual(0);
  });
});

test('--redis without a capacity, or without time that others could share, is refused', async () => {
  const file = scenario('own.yaml', `guest: { pages: 400, program: ${idle} }\nlink: { rate: 100Mbit/s }\n`);
  const { code, stderr } = await switchover('run', file, '--redis', 'somewhere');
  expect(code).toBe(2);
  expect(stderr).toContain('--redis: expected an address such as redis://127.0.0.1:6379, found "somewhere"');
  expect(stderr).toContain('--redis: expected to be used with --world threads, found "virtual"');
  expect(stderr).toContain('link.capacity: expected a rate, because --redis shares the link, found nothing');
});

test('a Redis that is not there: one line; exit 1', async () => {
  const file = scenario('nowhere.yaml', three);
  const { code, stderr } = await switchover(
    'run',
    file,
    '--world',
    'threads',
    '--redis',
    'redis://u:secret@127.0.0.1:1',
    '--quiet',
  );
  expect(code).toBe(1);
  expect(stderr).toBe('switchover: no Redis at redis://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n');
});

test('a scenario names everything that is wrong with its fleet', async () => {
  const file = scenario(
    'bad-fleet.yaml',
    `guest: { pages: 400, program: ${idle} }
link: { rate: 100Mbit/s }
fleet: [{ count: 0, priority: urgent, set: { link.capacity: 1Gbit/s }, colour: red }]
`,
  );
  const { code, stderr } = await switchover('run', file);
  expect(code).toBe(2);
  expect(stderr).toContain('fleet.0.count: expected a whole number from 1 to 100, found 0');
  expect(stderr).toContain('fleet.0.priority: expected a whole number from 0 to 1000, found "urgent"');
  expect(stderr).toContain('fleet.0.set: expected settings of this member alone');
  expect(stderr).toContain('fleet.0.colour: expected no such key');
  const without = scenario(
    'no-capacity.yaml',
    `guest: { pages: 400, program: ${idle} }\nlink: { rate: 100Mbit/s }\nfleet: [{ count: 2 }]\n`,
  );
  expect((await switchover('run', without)).stderr).toContain(
    'link.capacity: expected a rate, where a fleet shares the link, found nothing',
  );
});
