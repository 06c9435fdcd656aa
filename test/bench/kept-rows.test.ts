import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeptRows } from '../../bench/kept-rows.ts';

let folder: string;
let measured: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  mkdirSync(join(folder, 'program'));
  writeFileSync(join(folder, 'program/a.js'), 'one');
  measured = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'kept/rows.ndjson');
const rows = () => new KeptRows<{ readonly name: string }>(file(), join(folder, 'program'));
const measure = (name: string) => async () => {
  measured.push(name);
  return { name };
};

test('what was measured before an interruption is not measured again, and a torn line is', async () => {
  await rows().of({ a: 1 }, measure('a'));
  await rows().of({ b: 1 }, measure('b'));
  appendFileSync(file(), '{"of":"torn');
  const again = rows();
  expect(await again.of({ a: 1 }, measure('a again'))).toEqual({ name: 'a' });
  expect(await again.of({ c: 1 }, measure('c'))).toEqual({ name: 'c' });
  expect(await rows().of({ c: 1 }, measure('c again'))).toEqual({ name: 'c' });
  expect(measured).toEqual(['a', 'b', 'c']);
});

test('of another program, and of another subject, all is measured anew', async () => {
  await rows().of({ a: 1 }, measure('a'));
  await rows().of({ a: 2 }, measure('another subject'));
  writeFileSync(join(folder, 'program/a.js'), 'two');
  await rows().of({ a: 1 }, measure('another program'));
  expect(measured).toEqual(['a', 'another subject', 'another program']);
});
