import { expect, test } from 'vitest';
import { apiKeyIn, bearerKey, fingerprintOf, isSameKey } from '../../src/daemon/api-key.ts';
import { UsageError } from '../../src/platform/problem.ts';

const KEY = 'k'.repeat(40);

test('the name of the scheme may be in any case', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR'])
    expect(bearerKey(`${scheme} ${KEY}`)).toBe(KEY);
  expect(bearerKey(`Bearer   ${KEY}`)).toBe(KEY);
  for (const other of [undefined, '', KEY, `Basic ${KEY}`, `Bearer${KEY}`, 'Bearer ', `Bearer ${KEY} more`])
    expect(bearerKey(other), other).toBeUndefined();
});

test('only the whole key is the key', () => {
  expect(isSameKey(KEY, KEY)).toBe(true);
  for (const other of ['', KEY.slice(1), `${KEY}k`, KEY.toUpperCase()])
    expect(isSameKey(other, KEY)).toBe(false);
});

test('a file whose key no request could bring is refused', () => {
  expect(apiKeyIn(Buffer.from(`  ${KEY}\r\n`), 'api.keyFile')).toBe(KEY);
  for (const file of [
    ' '.repeat(40),
    `${KEY}\n${KEY}`,
    'ä'.repeat(40),
    `${'k'.repeat(31)}      `,
    `${KEY}\0`,
  ])
    expect(() => apiKeyIn(Buffer.from(file), 'api.keyFile'), JSON.stringify(file)).toThrow(UsageError);
});

test('a fingerprint says which key it is, and not what it is', () => {
  expect(fingerprintOf(KEY)).toMatch(/^[\da-f]{8}$/);
  expect(fingerprintOf(KEY)).not.toBe(fingerprintOf(`${KEY}k`));
});
