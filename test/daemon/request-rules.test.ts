import { describe, expect, test } from 'vitest';
import { isCrossSite, isJson, misdirected } from '../../src/daemon/request-rules.ts';

describe('a request is answered under', () => {
  const names = ['alpha.example', 'Beta'];

  test.each([
    'localhost',
    'localhost:7070',
    'LOCALHOST:7070',
    'localhost.',
    '127.0.0.1:7070',
    '10.1.2.3',
    '[::1]:7070',
    '[fe80::1]',
    'alpha.example:7070',
    'ALPHA.example.:7070',
    'beta',
  ])('%s', (host) => {
    expect(misdirected(host, names)).toBeUndefined();
  });

  test.each([
    'evil.example:7070',
    'localhost.evil.example',
    'evil.localhost.example',
    '127.0.0.1.evil.example',
    '1.2.3.4.5',
    'alpha.example.evil.example',
    'notalpha.example',
    'alpha.example:7070:7070',
    'alpha.example@evil.example',
    '[evil.example]',
    '',
    undefined,
  ])('and not under %s', (host) => {
    expect(misdirected(host, names)).toContain('expected an address, localhost, or a name in api.hosts');
  });
});

describe('a browser says that a request is for a page of another site by', () => {
  const host = 'localhost:7070';

  test.each([
    [{ origin: 'http://evil.example' }],
    [{ origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }],
    [{ origin: 'http://localhost:3000' }],
    [{ origin: 'http://localhost' }],
    [{ origin: 'null' }],
    [{ origin: '' }],
    [{ origin: 'nonsense' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ origin: 'http://localhost:7070', 'sec-fetch-site': 'cross-site' }],
  ])('%j', (headers) => {
    expect(isCrossSite({ host, ...headers })).toBe(true);
  });

  test.each([
    [{}],
    [{ origin: 'http://localhost:7070' }],
    [{ origin: 'https://localhost:7070', 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ host: 'LOCALHOST:7070', origin: 'http://localhost:7070' }],
  ])('and not by %j', (headers) => {
    expect(isCrossSite({ host, ...headers })).toBe(false);
  });
});

test('only JSON is JSON', () => {
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON ;q=1'])
    expect(isJson(type), type).toBe(true);
  // The first three are what a browser sends unasked for a page of another site, whatever parameters it has.
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=application/json',
    'text/plain; application/json',
    'text/plain, application/json',
    'application/jsonp',
    'application/json-patch+json',
    '',
    undefined,
  ])
    expect(isJson(type), type).toBe(false);
});
