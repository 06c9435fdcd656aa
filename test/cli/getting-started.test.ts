import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadExperiment } from '../../src/scenario/scenario.ts';
import { scenarioEntries } from '../../src/scenario/schema-entries.ts';
import { main } from '../fixtures/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

function switchover(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
}

describe('init', () => {
  test.each([
    'order',
    'reservation',
    'vm',
    'log',
  ])('writes a scenario with comments for %s, which is a scenario', (question) => {
    const file = join(folder, `${question}.yaml`);
    expect(switchover('init', question, '--out', file).status).toBe(0);
    const text = readFileSync(file, 'utf8');
    expect(text.match(/^\s*#|\s#/gm)!.length).toBeGreaterThan(5);
    expect(loadExperiment(file).cells.length).toBeGreaterThan(1);
    const [, schema] = /\$schema=(\S+)/.exec(text)!;
    expect(existsSync(schema!)).toBe(true);
  });

  test('writes over nothing, and says what it can be asked', () => {
    const file = join(folder, 'order.yaml');
    const again = switchover('init', 'order', '--out', file);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('EEXIST')]);
    const wrong = switchover('init', 'ordr');
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean order?')]);
    expect(switchover('init').stdout).toContain('reservation (');
  });
});

describe('reference', () => {
  test('says of a key what it means, what may stand there, and what lies within it', () => {
    const { status, stdout } = switchover('reference', 'guest.program');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^guest\.program\n {2}Which pages it writes/);
    expect(stdout).toContain('guest.program.workingSet\n');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('of a key that lies elsewhere says where', () => {
    const { status, stderr } = switchover('reference', 'stopRate');
    expect([status, stderr]).toEqual([2, expect.stringContaining('did you mean link.stopRate?')]);
  });

  test('knows a meaning of every key', () => {
    const entries = scenarioEntries();
    expect(entries.length).toBeGreaterThan(100);
    expect(entries.filter(({ meaning }) => meaning === '').map(({ path }) => path)).toEqual([]);
  });
});

/** What bash would offer for the last of these words. */
function offered(...words: string[]): readonly string[] {
  const script = `source <(${process.execPath} ${main} completion bash)
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
    _switchover; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim().split('\n');
}

describe('completion', () => {
  test('completes commands, options, their values, and the names of scenarios', () => {
    expect(offered('switchover', 'rec')).toEqual(['receive', 'record', 'recover']);
    expect(offered('switchover', 'run', '--wor')).toEqual(['--world']);
    expect(offered('switchover', 'run', '--world', 'v')).toEqual(['virtual', 'vm']);
    expect(offered('switchover', 'run', '01')).toEqual(['01-first-migration']);
  });

  test.each([
    ['zsh', '#compdef switchover'],
    ['fish', 'complete -c switchover'],
  ])('has every command for %s', (shell, begins) => {
    const { stdout } = switchover('completion', shell);
    expect(stdout.startsWith(begins)).toBe(true);
    for (const command of ['run', 'sweep', 'serve', 'doctor']) expect(stdout).toContain(command);
  });
});
