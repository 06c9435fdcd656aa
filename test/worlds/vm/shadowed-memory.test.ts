import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShadowedMemory } from '../../../src/worlds/vm/shadowed-memory.ts';

const PAGES = 70;
const SIZE = 512;
const page = fc.nat(PAGES - 1);
const actions = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('write' as const), page, value: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constant('send' as const), page }),
    fc.record({ kind: fc.constant('look' as const), take: fc.boolean() }),
  ),
  { maxLength: 60 },
);

describe('memory whose owner marks nothing', () => {
  test('is dirty exactly where it differs from what was last taken', () => {
    const live = Buffer.alloc(PAGES * SIZE, 1);
    const memory = new ShadowedMemory(live, SIZE);
    expect(memory.look(false).count()).toBe(0);
    live[3 * SIZE] = 9;
    live[PAGES * SIZE - 1] = 9;
    expect([...memory.look(false).toArray()]).toEqual([3, PAGES - 1]);
    memory.clear(3);
    expect([...memory.look(true).toArray()]).toEqual([PAGES - 1]);
    expect(memory.look(false).count()).toBe(0);
  });

  test('whatever is written when: what was sent and what is dirty in the end make up all of the memory', () => {
    fc.assert(
      fc.property(actions, (actions) => {
        const live = Buffer.alloc(PAGES * SIZE);
        const memory = new ShadowedMemory(live, SIZE);
        const there = Buffer.from(live);
        const sent = Buffer.from(memory.memory.buffer, memory.memory.byteOffset, memory.memory.length);
        const send = (page: number) => {
          memory.clear(page);
          sent.copy(there, page * SIZE, page * SIZE, (page + 1) * SIZE);
        };
        let owed = new Set<number>();
        for (const action of actions) {
          if (action.kind === 'write') live[action.page * SIZE + (action.value % SIZE)] = action.value;
          else if (action.kind === 'send') {
            send(action.page);
            owed.delete(action.page);
          } else {
            const dirty = memory.look(action.take);
            // Whoever takes marks off owes the pages.
            if (action.take) owed = new Set([...owed, ...dirty.toArray()]);
          }
        }
        for (const page of [...memory.look(false).toArray(), ...owed]) send(page);
        expect(there.equals(live)).toBe(true);
      }),
    );
  });
});
