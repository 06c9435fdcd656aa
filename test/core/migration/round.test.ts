import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantViolated } from '../../../src/core/invariants.ts';
import { unknown } from '../../../src/core/migration/heat.ts';
import { PageSet } from '../../../src/core/migration/pages.ts';
import { sendingOrder } from '../../../src/core/migration/round.ts';
import { Random } from '../../../src/core/random.ts';

const PAGES = 70;
const context = { heat: unknown, slotsPerWindow: 1, random: Random.seeded(1) };
const sets = fc.uniqueArray(fc.nat(PAGES - 1)).map((pages) => PageSet.of(PAGES, pages));

/** D_k, F_k, and the pages of D_k ∖ F_k in some order. */
const rounds = fc.tuple(sets, sets).chain(([dirty, hot]) => {
  const deferred = dirty.copy().keepAll(hot);
  const toSend = [...dirty.copy().deleteAll(deferred).toArray()];
  const order = fc.shuffledSubarray(toSend, { minLength: toSend.length });
  return fc.record({ dirty: fc.constant(dirty), deferred: fc.constant(deferred), order });
});

const sent = (dirty: PageSet, deferred: PageSet, order: readonly number[]) =>
  sendingOrder(() => Uint32Array.from(order), dirty, deferred, context);

describe('the order of a round', () => {
  test('is taken as it is if it sends each page of D_k ∖ F_k once', () => {
    fc.assert(
      fc.property(rounds, ({ dirty, deferred, order }) => {
        expect([...sent(dirty, deferred, order)]).toEqual(order);
      }),
    );
  });

  test('is refused if it loses a page, or sends one twice', () => {
    fc.assert(
      fc.property(rounds, fc.nat(), ({ dirty, deferred, order }, at) => {
        fc.pre(order.length > 0);
        const place = at % order.length;
        expect(() => sent(dirty, deferred, order.toSpliced(place, 1))).toThrow(InvariantViolated);
        expect(() => sent(dirty, deferred, [...order, order[place]!])).toThrow(InvariantViolated);
      }),
    );
  });

  test('is refused if a page is held back that is not dirty', () => {
    const [dirty, deferred] = [PageSet.of(PAGES, [1, 2, 3]), PageSet.of(PAGES, [3, 4])];
    expect(() => sent(dirty, deferred, [1, 2])).toThrow('|φ_k| = 2, |D_k| − |F_k| = 1');
  });

  test('is not believed by what it makes of the set that it was given', () => {
    const dirty = PageSet.all(PAGES);
    const forgetful = (pages: PageSet) => {
      pages.delete(7);
      return pages.toArray();
    };
    expect(() => sendingOrder(forgetful, dirty, new PageSet(PAGES), context)).toThrow(InvariantViolated);
    expect(dirty.count()).toBe(PAGES);
  });
});
