import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { orderByProbability } from '../../src/core/migration/order/known-probabilities.ts';
import { orderRegistry, registerOrder } from '../../src/core/migration/order/orders.ts';
import type { OrderDefinition } from '../../src/core/migration/order/page-order.ts';
import type { StopRuleDefinition } from '../../src/core/migration/stop/stop-rule.ts';
import { registerStopRule, stopRule } from '../../src/core/migration/stop/stops.ts';
import { BadDefinition, RegisteredCodeFailed } from '../../src/core/registry.ts';
import { UsageError } from '../../src/platform/problem.ts';
import { predict, predictedOf } from '../../src/run/predict.ts';
import { run } from '../../src/run/run.ts';
import { experimentOf, scenarioOf } from '../../src/scenario/scenario.ts';
import { stopSchema } from '../../src/scenario/stop.ts';
import { afterRounds, decided, MiB } from '../core/migration/stop/progress.ts';

// What is registered stays registered: none of these names is used by another test of this file.

const byNumber: OrderDefinition = {
  name: 'by-number',
  describe: 'descending page number',
  heat: 'none',
  dependsOnOthers: false,
  order: (dirty) => dirty.toArray().reverse(),
};

const guest = {
  pages: 400,
  program: { kind: 'classes', classes: [{ pages: 50, writesPerSecond: 50 }] },
};

function experiment(migration: object, more: object = {}) {
  const document = {
    guest,
    link: { rate: '100Mbit/s' },
    migration: { heat: 'known', ...migration },
    ...more,
  };
  return experimentOf(scenarioOf(document, { name: 'own' }));
}

function problemsOf(migration: object): readonly string[] {
  try {
    experiment(migration);
    return [];
  } catch (cause) {
    expect(cause).toBeInstanceOf(UsageError);
    return (cause as UsageError).problems.map(
      ({ path, expected, found }) => `${path}: ${expected}, not ${found}`,
    );
  }
}

describe('a page order that a user registers', () => {
  test('is one by its name: alone, in a scenario, in compare, in the record', async () => {
    const name = registerOrder(byNumber);
    expect([...orderByProbability(name, new Float64Array(3), 1).order]).toEqual([2, 1, 0]);
    const compared = experiment({}, { compare: { 'migration.order': ['address', name] } });
    const results = await run(compared, { world: 'virtual' });
    expect(results.map(({ records }) => [records[0]!.plan.order, records[0]!.outcome])).toEqual([
      ['address', 'completed'],
      ['by-number', 'completed'],
    ]);
  });

  test('is listed where an order is expected, and nothing else is accepted', () => {
    registerOrder({ ...byNumber, name: 'listed' });
    const [problem] = problemsOf({ order: 'unlisted' });
    expect(problem).toMatch(/^migration\.order: an order: address, .*, listed, not "unlisted"$/);
  });

  test('takes as many pages as it says', () => {
    registerOrder({ ...byNumber, name: 'small', pagesMax: 300 });
    expect(problemsOf({ order: 'small' })).toEqual([
      'migration.order: an order that takes 400 pages, not "small"',
    ]);
  });

  test('of which no page is sent by those around it is predicted as it is', () => {
    const order = registerOrder({ ...byNumber, name: 'as-it-is' });
    const { course, assumes } = predict(experiment({ order }).cells[0]!);
    // Of pages that are equally hot within their class, which goes first in its class makes no difference.
    const reversed = predict(experiment({ order: 'address' }).cells[0]!).course;
    expect(course.downtimeNs).not.toBe(reversed.downtimeNs);
    expect(assumes).toEqual([]);
  });

  test('that depends on the other dirty pages is predicted on an assumption, which is said', () => {
    const { order } = orderRegistry.get('threshold');
    const like = registerOrder({
      ...byNumber,
      name: 'like-threshold',
      heat: 'probability',
      dependsOnOthers: true,
      order,
    });
    const own = predict(experiment({ order: like }).cells[0]!);
    expect(own.assumes).toEqual(['order like-threshold goes by the heats of pages alone']);
    // Ours is asked of strata, this one page by page. Page 0 is sent among those of its class here, and as hot as it is there.
    const { course } = predict(experiment({ order: 'threshold' }).cells[0]!);
    expect(own.course).toMatchObject({ reason: course.reason, roundPages: course.roundPages });
    expect(Math.abs(own.course.pagesLeft!.mean - course.pagesLeft!.mean)).toBeLessThan(0.5);
    expect(own.course.pagesLeft!.deviation).toBeCloseTo(course.pagesLeft!.deviation, 1);
  });

  test.each([
    ['throws', () => Number('x').toFixed(101) as never, /threw: RangeError/],
    ['forgets a page', (dirty) => dirty.toArray().subarray(1), /page 0 is missing/],
    ['sends a page twice', (dirty) => dirty.toArray().fill(7), /page 7 is there twice/],
    ['sends a clean page', () => Uint32Array.of(2 ** 31), /page 2147483648 is not dirty/],
    ['returns something else', (dirty) => [...dirty.toArray()] as never, /it returned object/],
  ] satisfies [
    string,
    OrderDefinition['order'],
    RegExp,
  ][])('and that %s ends its migration at the source, which says why; the model has no answer', async (fault, order, why) => {
    const name = registerOrder({ ...byNumber, name: `it-${fault.replaceAll(' ', '-')}`, order });
    const [result] = await run(experiment({ order: name }), { world: 'virtual' });
    const [record] = result!.records;
    expect(record).toMatchObject({ outcome: 'failed', owner: 'source', predicted: null });
    expect(record!.reason).toMatch(why);
    const scenario = experiment({ order: name }).cells[0]!;
    expect(() => predict(scenario)).toThrow(RegisteredCodeFailed);
    expect(predictedOf(scenario)).toBeNull();
  });

  test('cannot change the dirty set', () => {
    const name = registerOrder({
      ...byNumber,
      name: 'destructive',
      order: (dirty) => {
        const pages = dirty.toArray();
        dirty.clear();
        return pages;
      },
    });
    expect(orderByProbability(name, new Float64Array(3), 1).order).toHaveLength(3);
  });

  test('is refused with all that is wrong with it', () => {
    const wrong = { name: 'lru', describe: '', heat: 'hot', pagesMax: 0.5 } as never;
    const problems = () => {
      try {
        registerOrder(wrong);
      } catch (cause) {
        return (cause as BadDefinition).problems.map(({ path }) => path.split(': ')[1]);
      }
      return [];
    };
    expect(problems()).toEqual(['name', 'describe', 'order', 'heat', 'dependsOnOthers', 'pagesMax']);
  });
});

const littleLeft: StopRuleDefinition<{ limitNs: number; leftBytes: number; rounds: number; atEnd: string }> =
  {
    name: 'little-left',
    describe: 'little is left, or so many rounds are done',
    defaults: { limitNs: 50e6, leftBytes: 4096, rounds: 3, atEnd: 'stop' },
    counts: ['rounds'],
    choices: { atEnd: ['stop', 'give up'] },
    withinRounds: false,
    rule: ({ leftBytes, rounds, atEnd }) => {
      return ({ pendingBytes, rounds: done }) => {
        if (pendingBytes <= leftBytes) return { decision: 'stop', reason: 'little is left' };
        if (done.length < rounds) return undefined;
        return { decision: atEnd as 'stop', reason: `${rounds} rounds are done` };
      };
    },
  };

describe('a stop rule that a user registers', () => {
  const spec = registerStopRule(littleLeft);

  test('has its defaults, and what is said otherwise', () => {
    expect(spec()).toEqual({ rule: 'little-left', ...littleLeft.defaults });
    expect(decided(stopRule(spec({ leftBytes: MiB })))(afterRounds([9], { pendingBytes: MiB }))?.reason).toBe(
      'little is left',
    );
    expect(stopRule(spec())(afterRounds([9], { pendingBytes: MiB }))).toBeUndefined();
  });

  test('is read from a scenario with its units', () => {
    const stop = { rule: 'little-left', limit: '1s', left: '1MiB', rounds: 5, atEnd: 'give up' };
    const [scenario] = experiment({ stop }).cells as [ReturnType<typeof experiment>['cells'][number]];
    expect(scenario.plan.stop).toEqual({
      ...{ rule: 'little-left', limitNs: 1e9, leftBytes: MiB, rounds: 5, atEnd: 'give up' },
    });
    // It may never end by itself, so it has as long as any other.
    expect(scenario.plan.timeoutNs).toBeGreaterThan(0);
  });

  test('is refused with the path of each parameter that is wrong', () => {
    const stop = { rule: 'little-left', limit: 50, left: '0B', rounds: 1.5, atEnd: 'go on', more: 1 };
    expect(problemsOf({ stop }).map((problem) => problem.split(':')[0])).toEqual([
      'migration.stop.limit',
      'migration.stop.left',
      'migration.stop.rounds',
      'migration.stop.atEnd',
      'migration.stop.more',
    ]);
    expect(problemsOf({ stop: { rule: 'never' } })[0]).toMatch(/a stop rule: rounds, .*little-left/);
  });

  test('stops migrations, and the model asks it as it asks ours', async () => {
    const stop = { rule: 'little-left', rounds: 2, left: '1B' };
    const [result] = await run(experiment({ stop }), { world: 'virtual' });
    expect(result!.records[0]).toMatchObject({ outcome: 'completed', reason: '2 rounds are done' });
    expect(predict(result!.cell).course).toMatchObject({
      converges: true,
      rounds: 2,
      reason: '2 rounds are done',
    });
  });

  test('is told of within rounds if it asks for that, and not otherwise', async () => {
    const told = { within: new Set<boolean>(), atEnds: new Set<boolean>() };
    for (const [name, withinRounds] of [
      ['within', true],
      ['at-ends', false],
    ] as const) {
      const seen = withinRounds ? told.within : told.atEnds;
      const rule: typeof littleLeft.rule =
        () =>
        ({ roundEnded, rounds }) => {
          seen.add(roundEnded);
          return rounds.length === 2 ? { decision: 'stop', reason: 'enough' } : undefined;
        };
      registerStopRule({ ...littleLeft, name, withinRounds, rule });
      await run(experiment({ stop: { rule: name } }), { world: 'virtual' });
    }
    expect(told).toEqual({ within: new Set([true, false]), atEnds: new Set([true]) });
  });

  test('that returns no verdict ends its migration at the source, which says why', async () => {
    registerStopRule({ ...littleLeft, name: 'odd', rule: () => () => 'stop' as never });
    const [result] = await run(experiment({ stop: { rule: 'odd' } }), { world: 'virtual' });
    expect(result!.records[0]).toMatchObject({ outcome: 'failed', owner: 'source', predicted: null });
    expect(result!.records[0]!.reason).toMatch(/stop rule 'odd' must return undefined, /);
  });

  test.each([
    [
      'a default that is not above 0',
      { defaults: { limitNs: 0 } },
      /defaults\.limitNs: expected a number above 0/,
    ],
    [
      'a text without choices',
      { defaults: { how: 'so' } },
      /defaults\.how: expected a number above 0, or a text/,
    ],
    [
      'a default that is no choice',
      { defaults: { how: 'so' }, choices: { how: ['thus'] } },
      /expected one of thus/,
    ],
    ['a count that is not whole', { defaults: { rounds: 1.5 }, counts: ['rounds'] }, /a whole number/],
    [
      'a count of nothing',
      { defaults: {}, counts: ['rounds'] },
      /counts, mayBeZero, choices, means: expected parameters/,
    ],
    [
      'two that are written alike',
      { defaults: { limitNs: 1, limitBytes: 1 } },
      /a name of its own in scenarios/,
    ],
    ['a parameter called rule', { defaults: { rule: 1 } }, /defaults\.rule: expected a name of its own/],
    ['no parameters at all', { defaults: undefined }, /defaults: expected an object/],
  ])('is refused for %s', (_, change, message) => {
    const definition = { ...littleLeft, name: 'refused', counts: [], choices: {}, ...change } as never;
    expect(() => registerStopRule(definition)).toThrow(message);
    expect(() => registerStopRule(definition)).toThrow(BadDefinition);
  });

  test('is in the JSON Schema of a scenario', () => {
    const schema = JSON.stringify(z.toJSONSchema(stopSchema, { io: 'input' }));
    expect(schema).toContain('little-left');
    expect(schema).toContain('kubevirt-stall');
  });
});
