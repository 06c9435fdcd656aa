import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const main = join(root, 'dist/cli/main.js');

function json(...args: string[]) {
  return JSON.parse(
    execFileSync(process.execPath, [main, ...args, '--json', '-'], { cwd: root, encoding: 'utf8' }),
  );
}

function refused(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: root, encoding: 'utf8' });
  return { status, stderr };
}

describe('predict', () => {
  const golden = JSON.parse(readFileSync(join(root, 'test/fixtures/qemu-predictor.json'), 'utf8'));

  test('reproduces every published cell of the QEMU predictor, through the command line', () => {
    const limitsMs = (golden.downtimeLimitsMs as (number | null)[]).filter((limitMs) => limitMs !== null);
    const published = Object.entries<(number | null)[]>(golden.expectedTotalSecondsByMbps);
    const rates = published.map(([rate]) => `${rate}Mibit/s`);
    const limits = limitsMs.map((limitMs) => `${limitMs}ms`);
    const compare = JSON.stringify({ 'link.rate': rates, 'migration.stop.limit': limits });
    const { cells } = json('predict', 'config/07-qemu-predictor.yaml', '--set', `compare=${compare}`);
    const expected = published.flatMap(([, seconds]) => seconds.slice(0, limits.length));
    expect(cells).toHaveLength(expected.length);
    for (const [index, { settings, totalNs, converges, rounds }] of cells.entries()) {
      const found = totalNs === null ? null : Math.ceil(totalNs / 1e9);
      expect(found, JSON.stringify(settings)).toBe(expected[index]);
      expect(converges).toBe(expected[index] !== null);
      expect(rounds).toBeGreaterThanOrEqual(0);
    }
  });

  test('says what b_d keeps to a downtime, and with what certainty', () => {
    const set = ['--set', 'compare=null', '--set', 'migration.order=increasing'];
    const answer = json(
      'predict',
      'config/12-slides.yaml',
      ...set,
      '--limit',
      '200ms',
      '--probability',
      '0.99',
    );
    expect(answer.downtimeP99Ns).toBeGreaterThan(answer.downtimeNs);
    const faster = json(
      ...['predict', 'config/12-slides.yaml', ...set],
      ...['--set', `link.stopRate=${answer.requiredStopRateBytesPerSecond}B/s`],
    );
    expect(faster.downtimeP99Ns).toBeLessThanOrEqual(200e6);
    expect(faster.downtimeP99Ns).toBeGreaterThan(198e6);
  });

  test('a real encoder that writes faster than the link: does not converge, and run agrees', () => {
    expect(json('predict', 'config/11-not-converging.yaml')).toMatchObject({
      converges: false,
      totalNs: null,
    });
    expect(json('run', 'config/11-not-converging.yaml', '--quiet')).toMatchObject({
      outcome: 'not-converged',
      owner: 'source',
      predicted: null,
    });
  });

  test('SimGrid’s four intensities within 1 %, and in virtual time within 3 % with the downtime below its limit', () => {
    const published = [4.51, 6.108, 9.467, 77.956];
    const { cells } = json('predict', 'config/08-simgrid.yaml');
    const runs = execFileSync(
      process.execPath,
      [main, 'run', 'config/08-simgrid.yaml', '--json', '-', '--quiet'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    )
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const [index, total] of published.entries()) {
      expect(Math.abs(cells[index].totalNs / 1e9 / total - 1)).toBeLessThan(0.01);
      expect(Math.abs(runs[index].totalNs / 1e9 / total - 1)).toBeLessThan(0.03);
      expect(runs[index].downtimeNs).toBeLessThan(30e6);
    }
  });

  test('KubeVirt VEP 291: a constant rate says 13 rounds and 196 s; a saturating working set says what was seen', () => {
    const { cells } = json('predict', 'config/09-kubevirt.yaml');
    const [constant, , , saturatingRamp] = cells;
    expect(constant.settings['guest.program.pages']).toBe(2_097_152);
    expect(constant.rounds).toBe(13);
    expect(Math.round(constant.totalNs / 1e9)).toBe(196);
    expect(saturatingRamp.totalNs / 1e9).toBeGreaterThan(92.2 * 0.9);
    expect(saturatingRamp.totalNs / 1e9).toBeLessThan(92.2 * 1.1);
  });

  test.each([
    ['a limit that is none', ['--limit', 'soon'], /--limit: expected a time/],
    [
      'a probability that is none',
      ['--limit', '1s', '--probability', '2'],
      /--probability: expected a probability/,
    ],
  ])('refuses %s', (_, args, message) => {
    const { status, stderr } = refused('predict', 'config/12-slides.yaml', ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('order', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  const file = join(folder, 'pi.json');

  test('gives page numbers, first sent first, with the certificate', () => {
    writeFileSync(file, JSON.stringify({ probabilities: [0.5, 0.01, 0.9, 0.2] }));
    const { order, expectedDirtyPages, excessAtMost } = json('order', file, '--rule', 'exact');
    expect(order).toEqual([2, 1, 3, 0]);
    const exposures = [1, 3, 4, 2];
    const dirty = [0.5, 0.01, 0.9, 0.2].map((pi, page) => 1 - (1 - pi) ** exposures[page]!);
    expect(expectedDirtyPages).toBeCloseTo(dirty.reduce((sum, value) => sum + value));
    expect(excessAtMost).toBeLessThan(1e-9);
    expect(json('order', file, '--rule', 'increasing').excessAtMost).toBeGreaterThan(0.1);
  });

  test('refuses what is not a list of probabilities, all at once', () => {
    writeFileSync(file, '{"probabilities": [2, "x"], "more": 1}');
    const { status, stderr } = refused('order', file);
    expect(status).toBe(2);
    expect(stderr).toContain('probabilities.0: expected a probability from 0 to 1, found 2');
    expect(stderr).toContain('probabilities.1: expected a probability from 0 to 1, found "x"');
    rmSync(folder, { recursive: true });
  });
});
