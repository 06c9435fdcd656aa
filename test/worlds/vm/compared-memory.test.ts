import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDelta } from '../../../src/core/wire/delta.ts';
import { inSegments } from '../../../src/platform/segmented-memory.ts';
import { ComparedMemory } from '../../../src/worlds/vm/compared-memory.ts';

const PAGES = 70;
const SIZE = 512;
/** Few of them, so that much happens to the same page. */
const page = fc.constantFrom(0, 33, 63, 64, PAGES - 1);
const actions = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('write' as const), page, value: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constant('send' as const), page }),
    fc.record({ kind: fc.constant('clear' as const), page }),
    fc.record({ kind: fc.constant('look' as const), take: fc.boolean() }),
  ),
  { maxLength: 60 },
);

/** Compared memory in segments of 64 pages, and the bytes that its owner writes. */
async function compared(deltas: boolean, byte: number) {
  const live = Buffer.alloc(PAGES * SIZE, byte);
  const memory = new ComparedMemory(inSegments(live, SIZE, 64 * SIZE), deltas);
  await memory.begin();
  return { live, memory };
}

describe.each([false, true])('memory whose owner marks nothing, deltas: %s', (deltas) => {
  test('is dirty exactly where it differs from what was last taken', async () => {
    const { live, memory } = await compared(deltas, 1);
    expect(memory.scan(false).count()).toBe(0);
    live[3 * SIZE] = 9;
    live[PAGES * SIZE - 1] = 9;
    expect([...memory.scan(false).toArray()]).toEqual([3, PAGES - 1]);
    memory.clear(3);
    expect([...memory.scan(true).toArray()]).toEqual([PAGES - 1]);
    expect(memory.scan(false).count()).toBe(0);
  });

  test('whatever is written when: what was sent and what is dirty in the end make up all of the memory', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (actions) => {
        const { live, memory } = await compared(deltas, 0);
        const there = Buffer.from(live);
        let owed = new Set<number>();
        const send = (page: number) => {
          if (!owed.has(page)) memory.clear(page);
          const frame = Buffer.alloc(SIZE);
          const length = memory.delta(page, frame, 0);
          const sent = memory.memory.segmentOf(page);
          const at = memory.memory.startOf(page);
          if (length === null) sent.copy(there, page * SIZE, at, at + SIZE);
          else
            applyDelta(
              new DataView(there.buffer, there.byteOffset + page * SIZE, SIZE),
              frame.subarray(0, length),
            );
          owed.delete(page);
        };
        for (const action of actions) {
          if (action.kind === 'write') live[action.page * SIZE + (action.value % SIZE)] = action.value;
          else if (action.kind === 'send') send(action.page);
          else if (action.kind === 'clear') {
            memory.clear(action.page);
            owed.add(action.page);
          } else {
            const dirty = memory.scan(action.take);
            // Whoever takes marks off owes the pages.
            if (action.take) owed = new Set([...owed, ...dirty.toArray()]);
          }
        }
        for (const page of [...owed]) send(page);
        for (const page of memory.scan(false).toArray()) send(page);
        expect(there.equals(live)).toBe(true);
      }),
    );
  });
});

test('what has changed in a page that was sent before is told, and costs what has changed', async () => {
  const { live, memory } = await compared(true, 1);
  const frame = Buffer.alloc(SIZE);
  const send = () => {
    memory.clear(3);
    return memory.delta(3, frame, 0);
  };
  expect(send()).toBeNull();
  expect(send()).toBe(0);
  live[3 * SIZE + 100] = 9;
  expect(send()).toBe(8);
  live.fill(5, 3 * SIZE, 4 * SIZE);
  expect(send()).toBeNull();
  // Its shadow is taken and not sent: what the destination has is not known any more.
  live[3 * SIZE] = 6;
  memory.scan(true);
  expect(send()).toBeNull();
  // Nor is it when a change was kept for it that it has outlived.
  memory.clear(3);
  live[3 * SIZE] = 7;
  memory.scan(true);
  expect(memory.delta(3, frame, 0)).toBeNull();
});
