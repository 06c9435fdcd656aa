import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventLog } from '../../src/daemon/event-log.ts';
import { smallSetup } from '../fixtures/setup.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-diary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const guest = (name: string) => ({ guest: { ...smallSetup().guest, name }, reservation: null });

test('the next process knows who was here, who has left, and what had not ended', () => {
  const eventLog = EventLog.open(folder);
  for (const name of ['stays', 'leaves', 'returns', 'dies'])
    eventLog.write({ kind: 'guest', event: 'booted', guest: guest(name) });
  for (const name of ['leaves', 'returns']) eventLog.write({ kind: 'guest', event: 'left', name });
  eventLog.write({ kind: 'guest', event: 'arrived', guest: guest('returns') });
  eventLog.write({ kind: 'guest', event: 'died', name: 'dies' });
  eventLog.write({ kind: 'begun', id: 'one', metadata: { world: 'threads' } as never, to: 'beta' });
  eventLog.write({ kind: 'begun', id: 'two', metadata: { world: 'threads' } as never, to: 'beta' });
  eventLog.write({ kind: 'ended', id: 'two', record: { outcome: 'completed' } as never });
  const { past } = EventLog.open(folder);
  expect([...past.guests.keys()].sort()).toEqual(['returns', 'stays']);
  expect([...past.gone]).toEqual(['leaves']);
  expect([...past.unfinished.keys()]).toEqual(['one']);
  expect(past.records).toEqual([{ id: 'two', record: { outcome: 'completed' } }]);
});

test('reading it again and again changes nothing, and it does not grow', () => {
  const eventLog = EventLog.open(folder);
  for (let turn = 0; turn < 50; turn++) {
    eventLog.write({ kind: 'guest', event: 'arrived', guest: guest('stream') });
    eventLog.write({ kind: 'guest', event: 'left', name: 'stream' });
  }
  eventLog.write({ kind: 'guest', event: 'arrived', guest: guest('other') });
  const first = EventLog.open(folder).past;
  const text = readFileSync(join(folder, 'diary.ndjson'), 'utf8');
  expect(EventLog.open(folder).past).toEqual(first);
  expect(readFileSync(join(folder, 'diary.ndjson'), 'utf8')).toBe(text);
  expect(text.trim().split('\n').length).toBe(2);
});

test('a last line that was cut short says nothing, and what follows begins on a line of its own', () => {
  const eventLog = EventLog.open(folder);
  eventLog.write({ kind: 'guest', event: 'booted', guest: guest('whole') });
  appendFileSync(join(folder, 'diary.ndjson'), '{"kind":"guest","event":"le');
  const again = EventLog.open(folder);
  expect([...again.past.guests.keys()]).toEqual(['whole']);
  again.write({ kind: 'guest', event: 'left', name: 'whole' });
  expect([...EventLog.open(folder).past.gone]).toEqual(['whole']);
});
