import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/daemon/configuration.ts';
import { UsageError } from '../../src/platform/problem.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-configuration-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  const file = join(folder, 'daemon.yaml');
  writeFileSync(file, text);
  return loadConfiguration(file);
}

function problemsOf(text: string): readonly string[] {
  try {
    load(text);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.problems.map(({ path }) => path);
    throw cause;
  }
  return [];
}

test('the example says what an empty file means, but for its peers, links and guests', () => {
  const example = loadConfiguration(resolve(import.meta.dirname, '../../config/daemon.yaml'));
  const empty = load('');
  const defaults = ({ peers: _, links: __, guests: ___, state: ____, ...rest }: typeof empty) => rest;
  expect(defaults(example)).toEqual(defaults(empty));
  expect(example.guests.map(({ guest }) => guest.name)).toEqual(['stream']);
  expect(example.links.get('lan')).toBe(125e6);
});

test('all that is wrong is said at once', () => {
  expect(
    problemsOf('drain: soon\nlimits: { guests: 0 }\ncolour: red\nlinks: { lan: { capacity: wide } }'),
  ).toEqual(['drain', 'limits.guests', 'links.lan.capacity', 'colour']);
  const guest = '{ name: a, pages: 100, program: { kind: zipf, writesPerSecond: 5 } }';
  expect(
    problemsOf(
      `receive: { listen: nowhere }\npeers: { b: { address: ':1' } }\nguests: [${guest}, ${guest}, { name: c, pages: 1 }]`,
    ),
  ).toEqual(['receive.listen', 'peers.b.address', 'guests.2.pages', 'guests.2.program', 'guests.1.name']);
});

test('a peer is reached over a link that is there', () => {
  const text = (over: string) =>
    `links: { lan: { capacity: 10Mbit/s } }\npeers: { b: { address: '127.0.0.1:1', over: ${over} } }`;
  expect(load(text('lan')).peers.get('b')!.over).toBe('lan');
  expect(problemsOf(text('wan'))).toEqual(['peers.b.over']);
});

test('a machine is watched by a monitor of its own, beside the file', () => {
  const { watch } = load('watch: { web: { qmp: web.watch, stopRate: 1Gbit/s }, shop: { qmp: /run/shop } }');
  expect(watch).toEqual([
    { name: 'web', socket: join(folder, 'web.watch'), stopRateBytesPerSecond: 125e6 },
    { name: 'shop', socket: '/run/shop', stopRateBytesPerSecond: undefined },
  ]);
  expect(problemsOf('watch: { a: { qmp: ./s }, b: { qmp: s }, c: { stopRate: fast } }')).toEqual([
    'watch.c.qmp',
    'watch.c.stopRate',
  ]);
  expect(problemsOf('watch: { a: { qmp: ./s }, b: { qmp: s } }')).toEqual(['watch.b.qmp']);
});

test('a key is read from beside the file, and only if nobody else can read it', () => {
  const key = join(folder, 'api.key');
  writeFileSync(key, `${'k'.repeat(40)}\n`);
  chmodSync(key, 0o644);
  expect(problemsOf('api: { keyFile: api.key }')).toEqual(['api.keyFile']);
  chmodSync(key, 0o600);
  expect(load('api: { keyFile: api.key }').apiKey).toBe('k'.repeat(40));
});
