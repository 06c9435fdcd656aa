import { expect, test } from 'vitest';
import { EventHistory } from '../../src/daemon/event-history.ts';

const degraded = (value: string) => ({ kind: 'degraded', value }) as const;
const idOf = ({ text }: { text: Buffer }) => /^id: (.*)\n/.exec(String(text))![1]!;

test('who says what was heard last is told what came after it', () => {
  const history = new EventHistory();
  const [first, ...later] = ['a', 'b', 'c'].map((value) => history.add(degraded(value)));
  expect(history.since(idOf(first!))).toEqual(later);
  expect(history.since(history.latestId)).toEqual([]);
});

test('what is not known any more, or never was, is told of as missed', () => {
  const history = new EventHistory(300);
  const events = Array.from({ length: 20 }, (_, index) => history.add(degraded(`${index}`)));
  expect(history.since(idOf(events[0]!))).toBe(undefined);
  expect(history.since(idOf(events.at(-2)!))).toEqual(events.slice(-1));
  expect(history.since(new EventHistory().latestId)).toBe(undefined);
  for (const id of ['', 'x', `${idOf(events[0]!).split('-')[0]}-999`])
    expect(history.since(id)).toBe(undefined);
});

test('a moment that is over has no id, and is not told again', () => {
  const history = new EventHistory();
  const before = history.latestId;
  const { text } = history.add({ kind: 'pulse', id: 'one', value: 1 });
  expect(String(text)).toMatch(/^event: pulse\n/);
  expect(history.latestId).toBe(before);
});
