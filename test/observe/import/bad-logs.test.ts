import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { importTexts } from '../../../src/observe/import/formats.ts';
import { happenedIn } from '../../../src/observe/import/happened.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/import');
const log = readFileSync(resolve(folder, 'query-migrate.ndjson'), 'utf8');
const lines = log.trimEnd().split('\n');
const read = (text: string) => importTexts([{ name: 'log', text }]);

test('of half a file, what is whole is used', () => {
  const { observation, missing } = read(log.slice(0, log.length / 2))!;
  expect(observation.samples).toHaveLength(3);
  expect(missing).toEqual(['1 damaged or cut objects']);
});

test('of a log that begins in the middle, an exposure whose beginning is unknown is not made up', () => {
  const inSecondRound = lines.slice(3).join('\n');
  // It follows from QEMU's own rate, if that is told.
  const told = read(inSecondRound)!.observation.dirtied;
  expect(told.map(({ exposureNs }) => exposureNs)).toEqual([1e9]);
  const untold = read(inSecondRound.replaceAll('dirty-pages-rate', 'another-key'))!.observation.dirtied;
  expect(untold).toEqual([]);
});

test('a list, lines and an answer spread over lines are the same', () => {
  const objects = lines.map((line) => JSON.parse(line).return);
  const one = read(JSON.stringify(objects))!.observation;
  expect(read(JSON.stringify(objects, null, 2))!.observation).toEqual(one);
  expect(read(log)!.observation).toEqual(one);
});

test('keys of another version are passed over, and what is missing is null', () => {
  const { observation } = read(log.replaceAll('"dirty-sync-count"', '"sync-count-of-tomorrow"'))!;
  expect(observation.samples.every(({ syncs }) => syncs === null)).toBe(true);
  // What is left still rises with every look.
  expect(observation.dirtied.length).toBeGreaterThan(0);
});

test('of one answer that is cut, what stands before is used', () => {
  const { observation, missing } = read(lines.at(-1)!.slice(0, -20))!;
  expect(observation.samples).toMatchObject([{ status: 'completed', atNs: 7.3e9 }]);
  expect(missing).toContain('1 damaged or cut objects');
});

test('answers are found wherever in other objects they lie', () => {
  const polls = lines.map((line) => ({ poll: { source: JSON.parse(line) } }));
  expect(read(JSON.stringify({ polls }))!.observation).toEqual(read(log)!.observation);
});

test('where the clock was set back, time goes on from there, and that is said', () => {
  const fixture = readFileSync(resolve(folder, 'proxmox-task-log.txt'), 'utf8');
  const { observation, missing } = read(fixture.replace(/03:04:(?=1[1-3])/g, '02:04:'))!;
  expect(observation.samples.at(-1)).toMatchObject({ status: 'completed', atNs: 5e9 });
  expect(missing).toContain('what time passed while the clock was set back');
});

test('after a migration that has ended another one begins, also where its log begins late', () => {
  const cancelled = '{"status": "cancelled", "total-time": 100, "ram": {"remaining": 4096}}';
  const { observation, missing } = read([cancelled, ...lines].join('\n'))!;
  expect(observation.samples).toHaveLength(7);
  expect(missing).toEqual(['1 other migration in the same file']);
});

test.each([
  'cloud-hypervisor-log.txt',
  'vmstate-downtime-log.txt',
])('of two migrations in %s only the parts of one are told', (file) => {
  const once = readFileSync(resolve(folder, file), 'utf8');
  const { observation, missing } = read(once + once)!;
  expect(observation).toEqual(read(once)!.observation);
  expect(missing).toHaveLength(1);
});

test('samples at which the clock goes back are left out, and counted', () => {
  const turned = lines.toSpliced(3, 0, lines[3]!.replace('"total-time": 6100', '"total-time": 10'));
  const { observation, missing } = read(turned.join('\n'))!;
  expect(observation.samples).toHaveLength(7);
  expect(missing).toEqual(['1 samples at which the clock goes back']);
});

test('of two migrations in a file, the one of which it says most is read, and the other named', () => {
  const { observation, missing } = read([...lines.slice(0, 4), ...lines].join('\n'))!;
  expect(observation.samples).toHaveLength(7);
  expect(observation.samples.at(-1)!.status).toBe('completed');
  expect(missing).toEqual(['1 other migration in the same file']);
});

test('that a log begins late is said, and where', () => {
  expect(read(lines.slice(4).join('\n'))!.missing).toEqual([
    'its first rounds: the log begins at dirty sync 2',
  ]);
  const task = readFileSync(resolve(folder, 'proxmox-task-log.txt'), 'utf8');
  const { missing } = read(task.slice(task.indexOf('2026-01-02 03:04:08')))!;
  expect(missing).toContain('when it began: the log begins later');
});

test('a status of another version is taken to be pre-copy', () => {
  const { observation } = read(log.replaceAll('"active"', '"precopy"'))!;
  expect(observation.dirtied).toEqual(read(log)!.observation.dirtied);
});

test('answers with a time that cannot be are counted', () => {
  const { observation, missing } = read(log.replace('"total-time": 6900', '"total-time": -6900'))!;
  expect(observation.samples).toHaveLength(6);
  expect(missing).toEqual(['1 answers without a total time']);
});

test('more left than the guest has is in another unit, and not believed', () => {
  const told = readFileSync(resolve(folder, 'domjobinfo.txt'), 'utf8');
  const { observation, missing } = read(told.replace(/(Memory remaining: .*)MiB/, '$1GiB'))!;
  expect(observation.samples.map(({ leftBytes }) => leftBytes === null).filter(Boolean)).toHaveLength(1);
  expect(missing).toEqual(['what was left in 1 samples: more than the guest has']);
});

test('numbers that cannot be are passed over', () => {
  const { observation } = read(log.replaceAll('"remaining": ', '"remaining": -'))!;
  // The last is −0.
  expect(observation.samples.slice(0, -1).every(({ leftBytes }) => leftBytes === null)).toBe(true);
});

test.each([
  '',
  'hello',
  '{}',
  '[1, 2]',
  '\u0000\u0001',
  '{"status": "running"}',
])('nothing is readable in %j', (text) => {
  expect(read(text)).toBeUndefined();
});

test('a file that says nothing is named beside one that does', () => {
  const imported = importTexts([
    { name: 'one', text: log },
    { name: 'other', text: 'hello' },
  ])!;
  expect(imported.missing).toEqual(['other: nothing readable']);
});

test('of a log that is too long, the beginning is read, and that is said', () => {
  const { observation, missing } = read('{"status":"active","total-time":1}\n'.repeat(50_001))!;
  expect(observation.samples).toHaveLength(50_000);
  expect(missing).toContain('what follows 50000 samples');
});

test('of two domains in an answer of domstats, the one of which it says most is read', () => {
  const one = readFileSync(resolve(folder, 'domstats-dirtyrate.txt'), 'utf8');
  const other = one.split('\n\n')[0]!.replaceAll('db', 'web').replace('second=32', 'second=99');
  const { observation, missing } = read(`${other}\n\n${one}`)!;
  expect(observation.dirtied).toEqual(read(one)!.observation.dirtied);
  expect(missing).toContain('1 answers of other domains');
});

test('with --balloon, domstats tells the size of the guest', () => {
  const one = readFileSync(resolve(folder, 'domstats-dirtyrate.txt'), 'utf8');
  const { observation } = read(one.replace(/^( +dirtyrate.calc_status)/m, '  balloon.maximum=1048576\n$1'))!;
  expect(observation.parameters.totalBytes).toBe(2 ** 30);
});

test.each([
  ['Migration failed: MigrateSend(Timeout)', 'failed', 'MigrateSend(Timeout)'],
  ['nothing', 'unfinished', undefined],
])('a log of Cloud Hypervisor that ends with %j is of a migration that is %s', (end, outcome, reason) => {
  const log = readFileSync(resolve(folder, 'cloud-hypervisor-log.txt'), 'utf8');
  const happened = happenedIn(read(log.slice(0, log.indexOf('Migration completed')) + end)!.observation);
  expect(happened.outcome).toBe(outcome);
  if (reason !== undefined) expect(happened.reason).toBe(reason);
});

test.each([
  ['Live migration stuck for 150 seconds and has been aborted', 'cancelled'],
  ['migration failed with error: virError(Code=1): connection reset by peer', 'failed'],
])('a log of virt-launcher that ends with %j is of a migration that %s', (end, outcome) => {
  const log = readFileSync(resolve(folder, 'virt-launcher-log.ndjson'), 'utf8').trimEnd().split('\n');
  const happened = happenedIn(read([...log.slice(0, -2), `{"msg":"${end}"}`].join('\n'))!.observation);
  expect(happened.outcome).toBe(outcome);
  expect(end).toContain(happened.reason);
});

test('of a Proxmox migration that failed, the reason is the first that is told', () => {
  const log = readFileSync(resolve(folder, 'proxmox-task-log.txt'), 'utf8');
  const failed = log.slice(0, log.indexOf('2026-01-02 03:04:13'));
  const end = [
    'migration status error: failed - Unable to write to socket',
    'ERROR: online migrate failure - aborting',
  ];
  const lines = end.map((line) => `2026-01-02 03:04:13 ${line}`);
  const happened = happenedIn(read(failed + lines.join('\n'))!.observation);
  expect(happened).toMatchObject({ outcome: 'failed', reason: 'Unable to write to socket' });
});
