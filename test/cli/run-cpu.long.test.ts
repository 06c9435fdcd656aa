import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { switchover } from '../fixtures/command.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  file = join(folder, 'cpu.yaml');
  writeFileSync(
    file,
    `guest: { pages: 400, program: { kind: stream, frame: 20ms, cpuPerFrame: 2ms, pagesPerFrame: 20, buffers: 100 }, reservation: { budget: 3ms, period: 10ms } }
sender: { reservation: { budget: 5ms, period: 10ms }, cpuPerPage: 100us }
background: [{ kind: cpu-hog, count: 2 }]
link: { rate: 1Gbit/s }
migration: { order: address }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** More than any kernel admits on two processors, since the guest is reserved for at both ends. */
const tooMuch = [
  ...['--set', 'cpu.scheduler=deadline', '--set', 'cpu.processors=2'],
  ...['--set', 'guest.reservation={ budget: 9400us, period: 10ms }'],
  ...['--set', 'sender.reservation={ budget: 9400us, period: 10ms }'],
];

describe('run with CPU reservations', () => {
  test.each([
    'virtual',
    'threads',
  ])('in %s: the record has the servers, the table what they were given', async (world) => {
    const svg = join(folder, `${world}.svg`);
    const json = join(folder, `${world}.ndjson`);
    const args = ['run', file, '--world', world, '--quiet', '--json', json, '--gantt', svg];
    const { code, stdout, stderr } = await switchover(...args);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('scheduler cbs-hard');
    expect(stdout).toContain('CPU reservations, delivered against promised');
    expect(stdout).toMatch(/hog-2/);
    const record = JSON.parse(readFileSync(json, 'utf8'));
    expect(record.reservations).toEqual({
      guest: { budgetNs: 3e6, periodNs: 10e6 },
      sender: { budgetNs: 5e6, periodNs: 10e6 },
      scheduler: 'cbs-hard',
      processors: 1,
      cpuPerPageNs: 100_000,
      cpuPerHandoverNs: 0,
      hogs: 2,
    });
    expect(record.servers.map((server: { name: string }) => server.name)).toEqual(['guest', 'sender']);
    expect(record.servers[1].servedNs).toBeGreaterThan(400 * 100_000);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg[\s\S]*sender[\s\S]*<\/svg>\s*$/);
  });

  test('a sum over the processors is refused before anything starts', async () => {
    const { code, stdout, stderr } = await switchover(
      ...['run', file, '--world', 'threads', '--set', 'sender.reservation.budget=9ms'],
    );
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /guest\.reservation: expected reservations that fit .*at most \(1ms of every 10ms\)/,
    );
  });

  test('what the kernel refuses is refused with what is held, out of what, and a remedy', async () => {
    const { code, stderr } = await switchover('run', file, '--world', 'threads', '--quiet', ...tooMuch);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /0\.94 of a processor is asked for, this run holds .*\(EBUSY\)|\(EPERM\).*all reservations together: 1\.88 of/,
    );
    expect(stderr).not.toContain('    at ');
  });

  test('or, with --fallback cooperative, kept by the dispatcher, and the record says so', async () => {
    const { code, stdout } = await switchover(
      ...[
        'run',
        file,
        '--world',
        'threads',
        '--quiet',
        '--json',
        '-',
        '--fallback',
        'cooperative',
        ...tooMuch,
      ],
    );
    expect(code).toBe(0);
    const record = JSON.parse(stdout);
    expect(record.outcome).toBe('completed');
    expect(record.reservations.scheduler).toBe('cbs-hard');
    expect(record.notes[0]).toMatch(
      /^reservations kept by the dispatcher \(--fallback cooperative\), because the kernel refused: .*E(BUSY|PERM)/,
    );
  });

  test('predict bounds the stop by the sender’s supply', async () => {
    const { stdout } = await switchover('predict', file, '--json', '-');
    const { downtimeNs, downtimeP99Ns, downtimeBoundNs } = JSON.parse(stdout);
    expect(downtimeBoundNs).toBeGreaterThan(downtimeP99Ns);
    expect(downtimeBoundNs).toBeLessThan(downtimeP99Ns + 2 * 5e6 + 1e6);
    expect(downtimeNs).toBeGreaterThan(0);
  });
});
