import { expect, test } from 'vitest';
import { Timeline } from '../../src/sched/timeline.ts';

test('what is written can be read once, in order', () => {
  const timeline = new Timeline();
  const reader = new Timeline(timeline.buffer);
  timeline.wakes(1);
  timeline.ran(2, 5, 2.5);
  expect([...reader.read()]).toEqual([
    { kind: 'wakes', atNs: 1 },
    { kind: 'ran', startNs: 2, endNs: 5, cpuNs: 2.5 },
  ]);
  timeline.sleeps(6);
  expect([...reader.read()]).toEqual([{ kind: 'sleeps', atNs: 6 }]);
  expect([...reader.read()]).toEqual([]);
  expect(reader.lost).toBe(0);
});

test('of what nobody reads the oldest is overwritten, and counted', () => {
  const timeline = new Timeline();
  const reader = new Timeline(timeline.buffer);
  const written = 100_000;
  for (let i = 0; i < written; i++) timeline.wakes(i);
  const events = [...reader.read()];
  expect(reader.lost).toBeGreaterThan(0);
  expect(events.length + reader.lost).toBe(written);
  expect(events[0]).toEqual({ kind: 'wakes', atNs: reader.lost });
  expect(events.at(-1)).toEqual({ kind: 'wakes', atNs: written - 1 });
});
