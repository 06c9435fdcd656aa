import { describe, expect, test } from 'vitest';
import { BadDefinition, type InsistOn, Registry, UnknownName } from '../../src/core/registry.ts';

const registry = () => new Registry('page order', [{ name: 'own', describe: 'ours' }]);
const mine = { name: 'mine', describe: 'of a user' };
const nothing = () => {};

function problemsOf(thing: object, check: (insist: InsistOn) => void = nothing): readonly string[] {
  try {
    registry().add(thing as typeof mine, check);
    return [];
  } catch (cause) {
    expect(cause).toBeInstanceOf(BadDefinition);
    return (cause as BadDefinition).problems.map(({ path, found }) => `${path} ${found}`);
  }
}

describe('a registry', () => {
  test('has what the program brings, and then what its user adds', () => {
    const all = registry();
    all.add(mine, nothing);
    expect(all.names).toEqual(['own', 'mine']);
    expect(all.get('mine')).toEqual(mine);
    expect(all.find('theirs')).toBeUndefined();
  });

  test('names what there is to whoever asks for something else', () => {
    expect(() => registry().get('theirs')).toThrow(UnknownName);
    expect(() => registry().get('theirs')).toThrow("no page order is called 'theirs': there are own");
  });

  test('gives a name once', () => {
    expect(problemsOf({ ...mine, name: 'own' })).toEqual(['page order \'own\': name "own"']);
  });

  test.each([
    '',
    'Mine',
    'my_order',
    'my order',
    '-mine',
    'mine-',
    '1st',
    'x'.repeat(64),
  ])('refuses the name %j', (name) => {
    expect(problemsOf({ ...mine, name })).toHaveLength(1);
  });

  test('says all that is wrong at once, what its own kind insists on included', () => {
    const check = (insist: InsistOn) => insist(false, 'order', 'a function', undefined);
    expect(problemsOf({ name: 'Mine', describe: 'two\nlines' }, check)).toEqual([
      'page order \'Mine\': name "Mine"',
      'page order \'Mine\': describe "two\\nlines"',
      "page order 'Mine': order nothing",
    ]);
  });

  test('keeps a definition as it was when it was added', () => {
    const all = registry();
    const changed = { ...mine };
    all.add(changed, nothing);
    changed.describe = 'something else';
    expect(all.get('mine').describe).toBe('of a user');
  });
});
