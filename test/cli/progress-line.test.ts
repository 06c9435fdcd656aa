import { describe, expect, test } from 'vitest';
import { ProgressLine } from '../../src/cli/progress-line.ts';

const COLUMNS = 70;

/** Where it is shown, and a clock that is set by hand. */
function shownOn({ isTerminal }: { isTerminal: boolean }) {
  const seen = { text: '', nowNs: 0 };
  const display = {
    ...{ isTerminal, columns: COLUMNS },
    nowNs: () => seen.nowNs,
    write: (text: string) => (seen.text += text),
  };
  return { seen, progress: new ProgressLine(false, display) };
}

/** So many runs, each of which takes so many ms, with a note a run. */
function carriedOut(progress: ProgressLine, seen: { nowNs: number }, runs: number, ms: number): void {
  progress.begin(runs);
  for (let run = 1; run <= runs; run++) {
    progress.note(`run ${run}: round 1: 400 pages in 12 ms (400 Mbit/s), 12 dirty`);
    seen.nowNs += ms * 1e6;
    progress.advance();
  }
  progress.end();
}

describe('progress', () => {
  test('is one line on a terminal, no wider than it, of which nothing is left', () => {
    const { seen, progress } = shownOn({ isTerminal: true });
    carriedOut(progress, seen, 1_200, 100);
    expect(seen.text).not.toContain('\n');
    const shown = seen.text.split('\r\x1b[K');
    for (const line of shown) expect(line.length).toBeLessThan(COLUMNS);
    expect(shown.at(-1)).toBe('');
    expect(shown.at(-2)).toMatch(/^█{20} 1200 of 1200 runs, 2:00 · run 1200: round 1/);
    expect(seen.text).toContain('600 of 1200 runs, 1:00, 1:00 left');
  });

  test('elsewhere is a line every 5 % where runs are quick', () => {
    const { seen, progress } = shownOn({ isTerminal: false });
    carriedOut(progress, seen, 1_200, 10);
    const lines = seen.text.trimEnd().split('\n');
    // The first says that it has begun; the clock is at 12 s in the end.
    expect(lines.length).toBeGreaterThanOrEqual(20);
    expect(lines.length).toBeLessThanOrEqual(23);
    expect(lines[0]).toMatch(/^0 of 1200 runs, 0:00 · run 1: round 1/);
    expect(lines.at(-1)).toMatch(/^1200 of 1200 runs, 0:12/);
  });

  test('elsewhere is a line every 10 s where runs take long', () => {
    const { seen, progress } = shownOn({ isTerminal: false });
    carriedOut(progress, seen, 100, 1_000);
    // A run is 1 %, so that 5 % come sooner.
    expect(seen.text.trimEnd().split('\n')).toHaveLength(21);
    const slow = shownOn({ isTerminal: false });
    carriedOut(slow.progress, slow.seen, 1_000, 1_000);
    expect(slow.seen.text.trimEnd().split('\n').length).toBeLessThanOrEqual(101);
  });

  test('counts what was done before, and is not there with --quiet', () => {
    const { seen, progress } = shownOn({ isTerminal: false });
    progress.begin(100, 50);
    seen.nowNs = 5e9;
    progress.advance(5);
    expect(seen.text).toBe('55 of 100 runs, 0:05, 0:45 left\n');
    let told = '';
    const quiet = new ProgressLine(true, {
      ...{ isTerminal: true, columns: COLUMNS, nowNs: () => 0 },
      write: (text) => (told += text),
    });
    quiet.begin(1);
    quiet.advance();
    quiet.end();
    expect(told).toBe('');
  });
});
