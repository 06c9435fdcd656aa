import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MigrationRecord, migrationRecord } from '../../src/core/migration/record.ts';
import { cutShort } from '../../src/daemon/cut-short.ts';
import { EventLog } from '../../src/daemon/event-log.ts';
import type { PlannedTarget } from '../../src/daemon/target-schemas.ts';
import { metadataOf } from '../../src/run/migration-run.ts';
import { smallSetup } from '../fixtures/setup.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-diary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const guest = (name: string) => ({ guest: { ...smallSetup().guest, name }, reservation: null });
const metadata = metadataOf(smallSetup(), {
  ...{ world: 'threads', scenario: 'to beta', startedAt: '2026-01-01T00:00:00.000Z' },
  ...{ admission: null, predicted: null },
});
const record: MigrationRecord = migrationRecord(metadata, cutShort('for a test', 'source'));
const diary = () => join(folder, 'diary.ndjson');
const lines = () =>
  readFileSync(diary(), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');

/** For what a migration was planned. */
const target: PlannedTarget = {
  clauses: [{ metric: 'downtime', limitNs: 2e8, probability: 0.9 }],
  settings: { 'link.rate': '25Mbit/s' },
  expected: { downtimeNs: 1e8, totalNs: 1e9 },
  certificate: {
    ...{ runs: 46, kept: 46, lowerBound: 0.91, confidence: 0.95 },
    clauses: [{ metric: 'downtime', limitNs: 2e8, probability: 0.9, runs: 46, kept: 46, lowerBound: 0.91 }],
    seeds: { first: 1_000_000_001, count: 46 },
  },
  sensitivity: [
    {
      ...{ cut: 'link.rate', from: '25 Mbit/s', to: '22.5 Mbit/s', runs: 40, kept: 3 },
      ...{ missed: true, incomplete: 0, floor: null },
    },
  ],
  ...{ migrations: 200, leftOut: [] },
};

test('the next process knows who was here, who has left, and what had not ended', () => {
  const eventLog = EventLog.open(folder);
  for (const name of ['stays', 'leaves', 'returns', 'dies'])
    eventLog.write({ kind: 'guest', event: 'booted', guest: guest(name) });
  for (const name of ['leaves', 'returns']) eventLog.write({ kind: 'guest', event: 'left', name });
  eventLog.write({ kind: 'guest', event: 'arrived', guest: guest('returns') });
  eventLog.write({ kind: 'guest', event: 'died', name: 'dies' });
  eventLog.write({ kind: 'begun', id: 'one', metadata, to: 'beta' });
  eventLog.write({ kind: 'begun', id: 'two', metadata, to: 'beta' });
  eventLog.write({ kind: 'ended', id: 'two', record });
  eventLog.write({ kind: 'begun', id: 'three', metadata, to: 'beta', target });
  eventLog.write({ kind: 'ended', id: 'four', record, target });
  const { past } = EventLog.open(folder);
  expect([...past.guests.keys()].sort()).toEqual(['returns', 'stays']);
  expect([...past.gone]).toEqual(['leaves']);
  const unfinished = [...past.unfinished].map(([id, about]) => [id, about.target]);
  expect(unfinished).toEqual([
    ['one', null],
    ['three', target],
  ]);
  expect(past.records).toEqual([
    { id: 'two', record, unguaranteed: null, target: null },
    { id: 'four', record, unguaranteed: null, target },
  ]);
});

test('reading it again and again changes nothing, and it does not grow', () => {
  const eventLog = EventLog.open(folder);
  for (let turn = 0; turn < 50; turn++) {
    eventLog.write({ kind: 'guest', event: 'arrived', guest: guest('stream') });
    eventLog.write({ kind: 'guest', event: 'left', name: 'stream' });
  }
  eventLog.write({ kind: 'guest', event: 'arrived', guest: guest('other') });
  const first = EventLog.open(folder).past;
  const text = readFileSync(diary(), 'utf8');
  expect(EventLog.open(folder).past).toEqual(first);
  expect(readFileSync(diary(), 'utf8')).toBe(text);
  expect(lines().length).toBe(2);
});

test('a last line that was cut short says nothing, and what follows begins on a line of its own', () => {
  EventLog.open(folder).write({ kind: 'guest', event: 'booted', guest: guest('whole') });
  writeFileSync(diary(), `${lines()[0]}\n{"kind":"guest","event":"le`);
  const again = EventLog.open(folder);
  expect([...again.past.guests.keys()]).toEqual(['whole']);
  expect(again.past.damaged).toEqual([]);
  again.write({ kind: 'guest', event: 'left', name: 'whole' });
  expect([...EventLog.open(folder).past.gone]).toEqual(['whole']);
});

describe('a damaged line', () => {
  const id = 'one';
  test.each([
    ['no JSON', '{"kind":"guest","eve'],
    ['zeros', '\0'.repeat(512)],
    ['nothing known', 'null'],
    ['another kind', '{"kind":"weather"}'],
    ['a guest without a name', JSON.stringify({ kind: 'guest', event: 'left' })],
    [
      'a guest without a program',
      JSON.stringify({ kind: 'guest', event: 'booted', guest: { guest: { name: 'x' } } }),
    ],
    [
      'a migration without a plan',
      JSON.stringify({ kind: 'begun', id, to: 'b', metadata: { ...metadata, plan: null } }),
    ],
    [
      'a record without rounds',
      JSON.stringify({ kind: 'ended', id, record: { ...record, rounds: undefined } }),
    ],
  ])('costs only itself, by its place, and the file as it was is kept: %s', (_, damaged) => {
    const log = EventLog.open(folder);
    log.write({ kind: 'guest', event: 'booted', guest: guest('before') });
    log.write({ kind: 'ended', id: 'two', record });
    const text = [lines()[0], damaged, lines()[1], ''].join('\n');
    writeFileSync(diary(), text);
    const { past } = EventLog.open(folder);
    expect(past.damaged).toEqual([`${diary()}:2`]);
    expect([...past.guests.keys()]).toEqual(['before']);
    expect(past.records.map((one) => one.id)).toEqual(['two']);
    expect(readFileSync(`${diary()}.damaged`, 'utf8')).toBe(text);
    expect(readdirSync(folder).sort()).toEqual(['diary.ndjson', 'diary.ndjson.damaged']);
    expect(EventLog.open(folder).past.damaged).toEqual([]);
  });
});

test('one that is closed leaves no open file behind, and writes nothing more', () => {
  const open = () => readdirSync('/proc/self/fd').length;
  const before = open();
  for (let turn = 0; turn < 20; turn++) EventLog.open(folder).close();
  expect(open()).toBeLessThan(before + 10);
  const eventLog = EventLog.open(folder);
  eventLog.close();
  eventLog.write({ kind: 'guest', event: 'left', name: 'nobody' });
  expect(eventLog.trouble).toContain('it is closed');
  expect(lines()).toEqual([]);
});
