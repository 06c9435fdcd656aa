import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { overShared, sharedSegments } from '../../src/platform/shared-memory.ts';

const MiB = 2 ** 20;
const page = { pageSizeBytes: 4096 };
const small = { pages: 64, ...page };
const large = { pages: (64 * MiB) / 4096, ...page };

test.each([
  ['small', small],
  ['large', large],
])('what one thread writes into %s memory, each view of it has', (_, guest) => {
  const segments = sharedSegments(guest, 32 * MiB);
  const [one, other] = [overShared(segments, guest), overShared(segments, guest)];
  const last = guest.pages - 1;
  one.segmentOf(last)[one.startOf(last)] = 7;
  one.wordsOf(0)[1] = 0x01020304;
  expect(other.segmentOf(last)[other.startOf(last)]).toBe(7);
  expect([...other.segmentOf(0).subarray(4, 8)]).toEqual([4, 3, 2, 1]);
  expect(new Uint8Array(segments.at(-1)!)[one.startOf(last)]).toBe(7);
});

test('memory of which only a view is left stays', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const views = Array.from({ length: 4 }, () => {
    const view = overShared(sharedSegments(large), large);
    for (let at = 0; at < large.pages; at++) view.segmentOf(at)[view.startOf(at)] = at;
    return view;
  });
  for (let time = 0; time < 3; time++) collect();
  for (const view of views) {
    for (let at = 0; at < large.pages; at += 97) expect(view.segmentOf(at)[view.startOf(at)]).toBe(at & 255);
  }
});
