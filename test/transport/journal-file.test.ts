import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../src/core/wire/ownership.ts';
import {
  begunText,
  entryText,
  guestFromFileName,
  guestInFileName,
  journalContent,
  journalFileName,
  journalNameOf,
  saysClosed,
} from '../../src/transport/journal-file.ts';

const begun = {
  ...({ migration: '5e2ba0f4-9f5c-4a70-8a54-0d0f6f2c1a11', end: 'source', guest: 'web' } as const),
  ...{ pages: 4, pageSizeBytes: 4096, peer: '192.0.2.1:4000' },
  process: { name: 'alpha-17-00c0ffee', host: 'alpha', pid: 17, boot: 'one', socket: '1 1' },
};
const name = journalNameOf(journalFileName(begun))!;
const entries: readonly JournalEntry[] = ['stopped', 'ready', 'commit', 'running', 'ended'];
const lines = [begunText(begun), ...entries.map((entry) => entryText(entry))];
const whole = Buffer.from(lines.join(''));

describe('the content of a journal', () => {
  test('is read however far a crash has let it come', () => {
    for (let lengthBytes = lines[0]!.length; lengthBytes <= whole.length; lengthBytes++) {
      const bytes = whole.subarray(0, lengthBytes);
      const written = bytes.toString().split('\n').length - 1;
      expect(journalContent(name, bytes)).toMatchObject({ last: ['begun', ...entries][written - 1] });
      expect(saysClosed(bytes)).toBe(lengthBytes === whole.length);
    }
  });

  test('is damaged or says what was written, whatever bytes are changed', () => {
    const change = fc.record({ at: fc.nat(whole.length - 2), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte } of changes) bytes[at] = byte;
        const content = journalContent(name, bytes);
        if (!('damage' in content)) expect(content.last).toBe('ended');
      }),
      { numRuns: 2_000 },
    );
  });

  test('of any bytes at all is damage, and never an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(journalContent(name, Buffer.from(bytes))).toHaveProperty('damage');
        expect(saysClosed(Buffer.from(bytes))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the name of a journal', () => {
  test('says migration, end and guest, whatever the guest is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (guest) => {
        const file = journalFileName({ ...begun, guest });
        expect(Buffer.byteLength(file)).toBeLessThan(250);
        expect(file).not.toMatch(/[/\0\n]/);
        const found = journalNameOf(file)!;
        expect(found).toEqual({ migration: begun.migration, end: 'source', guest: guestInFileName(guest) });
        // A long one is cut off, and ends with its hash.
        if (found.guest!.length <= 100) expect(guestFromFileName(found.guest!)).toBe(guest);
      }),
    );
  });

  test('of an earlier version says no guest; other files are no journals', () => {
    const older = `${begun.migration}.destination.ndjson`;
    expect(journalNameOf(older)).toEqual({
      migration: begun.migration,
      end: 'destination',
      guest: undefined,
    });
    for (const file of ['diary.ndjson', 'a.life', `${begun.migration}.source.ndjson.new`])
      expect(journalNameOf(file)).toBeUndefined();
  });
});
