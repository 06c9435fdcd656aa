import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { TraceOutput } from '../../src/cli/trace-output.ts';
import { run } from '../../src/run/run.ts';
import { decodeTraceLine, migrationsOf, type Replay, replay } from '../../src/run/trace.ts';
import { experimentOf, scenarioOf } from '../../src/scenario/scenario.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const guest = {
  pages: 400,
  program: { kind: 'classes', classes: [{ pages: 40, writesPerSecond: 10 }] },
};
const migration = { order: 'lru', observe: '200ms' };
const alone = { guest, link: { rate: '20Mbit/s' }, migration };
const fleet = {
  guest,
  link: { rate: '20Mbit/s', capacity: '30Mbit/s' },
  fleet: [{ name: 'one' }, { name: 'other' }],
  migration,
};

describe('a trace that is written while migrations run in virtual time', () => {
  test.each([
    ['one after another', { ...alone, runs: 2 }],
    ['over one link', fleet],
  ])('has the lines of each together, and replays to the same: %s', async (name, document) => {
    const file = join(folder, name);
    const trace = new TraceOutput(file, true);
    const written: number[] = [];
    await run(experimentOf(scenarioOf(document, { name })), {
      world: 'virtual',
      listener: {
        starts: (starting) => trace.starts(starting),
        ended(_, run) {
          trace.ended(run);
          written.push(readFileSync(file, 'utf8').split('\n').length);
        },
      },
    });
    trace.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const replays: Replay[] = [];
    for (const one of migrationsOf(lines.map((line) => decodeTraceLine(line, name))))
      replays.push(replay(one));
    expect(replays.map(({ difference }) => difference)).toEqual([undefined, undefined]);
    expect(replays.map(({ result }) => result?.outcome)).toEqual(['completed', 'completed']);
    expect(written[0]).toBeLessThan(lines.length);
    expect(written[1]).toBe(lines.length + 1);
  });

  test('is in the file step by step, and no step is kept', async () => {
    const file = join(folder, 'steps');
    const trace = new TraceOutput(file, true);
    const written: number[] = [];
    await run(experimentOf(scenarioOf(alone, { name: 'steps' })), {
      world: 'virtual',
      listener: {
        starts(starting) {
          const step = trace.starts(starting)!;
          return (...seen) => {
            step(...seen);
            written.push(readFileSync(file, 'utf8').split('\n').length - 1);
          };
        },
      },
    });
    trace.close();
    // The plan is the first line.
    expect(written).toEqual(Array.from(written, (_, step) => step + 2));
    expect(written.length).toBeGreaterThan(5);
  });
});
