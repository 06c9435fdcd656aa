import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryText, journalFileName } from '../../src/transport/journal-file.ts';
import { recover } from '../../src/transport/recover.ts';
import { entriesIn, leaveJournal } from '../fixtures/journals.ts';

const MANY = 20_000;

test('twenty thousand closed journals are looked through once, and make nothing slow after that', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-many-'));
  try {
    const here = join(folder, 'source');
    mkdirSync(here);
    for (let index = 0; index < MANY; index++) {
      const name = { migration: randomUUID(), guest: `guest-${index % 7}`, end: 'source' } as const;
      writeFileSync(join(here, journalFileName(name)), `${entryText('begun')}${entryText('aborted')}`);
    }
    const firstMs = await tookMs(() => recover([here]));
    expect(Object.keys(entriesIn(here))).toHaveLength(1_000);
    const file = leaveJournal(here, 'source', ['stopped']);
    const laterMs = await tookMs(() => recover([here]));
    expect(readFileSync(file, 'utf8')).toContain('aborted');
    console.log(`recover: ${firstMs} ms with ${MANY} closed journals, ${laterMs} ms after that`);
    expect(laterMs).toBeLessThan(firstMs);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function tookMs(act: () => Promise<unknown>): Promise<number> {
  const beganAt = performance.now();
  await act();
  return Math.round(performance.now() - beganAt);
}
