import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { main, root } from '../fixtures/command.ts';

/** A whole run that the machine does not let run for a second, as a container is frozen or a laptop put to sleep. */
const STOPPED_MS = 1_000;
const settings = [
  'guest.pages=2048',
  'guest.program={ kind: stream, frame: 40ms, cpuPerFrame: 2ms, pagesPerFrame: 100, buffers: 600 }',
  'guest.reservation={ budget: 4ms, period: 10ms }',
  'cpu.scheduler=cbs-hard',
  'background=[]',
  'sender.cpuPerPage=0s',
  'link.rate=60Mbit/s',
  'migration.order=address',
  'migration.stop={ rule: rounds, rounds: 3 }',
  'compare={}',
];

test('a reservation is not kept while the whole run is stopped, though its guest slept when that began', async () => {
  const args = ['run', 'config/13-cpu-reservations.yaml', '--world', 'threads', '--runs', '1', '--json', '-'];
  const run = spawn(process.execPath, [main, ...args, ...settings.flatMap((one) => ['--set', one])], {
    cwd: root,
  });
  let [out, err] = ['', ''];
  run.stdout.on('data', (chunk) => {
    out += chunk;
  });
  run.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = once(run, 'close');
  await expect.poll(() => err, { timeout: 20_000 }).toContain('round 1');
  run.kill('SIGSTOP');
  await sleep(STOPPED_MS);
  run.kill('SIGCONT');
  await ended;
  const record = JSON.parse(out.split('\n').find((line) => line.startsWith('{'))!);
  expect(record, err).toMatchObject({ outcome: 'completed' });
  const guest = record.servers.find(({ name }: { name: string }) => name === 'guest');
  // A hundred periods passed; up to four of them before the next frame was due.
  expect(guest.longestBlackoutNs).toBeGreaterThan(0.9e6 * STOPPED_MS);
  expect(guest.missedPeriods).toBeGreaterThan(80);
});
