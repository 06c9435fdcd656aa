import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Validator } from '@seriousme/openapi-schema-validator';
import { generateSource } from 'oazapfts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApi } from '../../src/daemon/openapi.ts';
import { operations } from '../../src/daemon/operations.ts';
import { ask, Daemons, eventually, guestsOf, quick } from '../fixtures/daemons.ts';
import { answersCheck } from '../fixtures/described-answers.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';
import { userProject } from '../fixtures/user-project.ts';

interface Described {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security?: readonly object[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = openApi('1.2.3') as Document;
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);

describe('the description of the API', () => {
  test('is valid OpenAPI 3.1, says somebody else’s validator', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...document });
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, '3.1']);
  });

  test('has every operation with a name, a tag, what it answers and why it may be refused', () => {
    expect(described.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(operations).sort());
    const tags = document.tags.map(({ name }) => name);
    for (const { operationId, tags: own, summary, method, security, responses } of described) {
      expect(tags, operationId).toEqual(expect.arrayContaining([...own]));
      expect(summary, operationId).not.toBe('');
      expect(security, operationId).toEqual(method === 'get' ? undefined : [{ key: [] }]);
      const [status, answer] = Object.entries(responses).find(([code]) => code.startsWith('2'))!;
      expect(answer.content === undefined, operationId).toBe(status === '204');
      expect(responses[400]?.content?.['application/problem+json']?.schema, operationId).toEqual({
        $ref: '#/components/schemas/Refusal',
      });
    }
  });
});

const daemons = new Daemons();
const root = resolve(import.meta.dirname, '../..');
let folder: string;
let alpha: ServedDaemon;
let beta: ServedDaemon;

beforeAll(async () => {
  folder = userProject();
  ({ alpha, beta } = await daemons.pair({ links: { lan: { capacity: '1Gbit/s' } } }));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await daemons.end();
});

test('a daemon serves it, and answers and tells nothing but what it says', async () => {
  const check = answersCheck();
  const served = (await ask(alpha, 'GET', '/openapi.json')).body;
  expect(served.paths).toEqual(document.paths);
  const watching = await fetch(`http://${alpha.address}/api/events`);
  const move = { guest: 'stream', to: 'beta', over: 'lan', ...quick, link: { rate: '25Mbit/s' } };
  const scenario = {
    guest: { pages: 100, program: { kind: 'zipf', writesPerSecond: 10 } },
    link: { rate: '50Mbit/s', capacity: '100Mbit/s' },
    sender: { reservation: { budget: '5ms', period: '10ms' }, cpuPerPage: '20us' },
    background: [{ kind: 'timer-noise', mean: '1ms' }],
    compare: { 'migration.stop': [{ rule: 'xen' }, { rule: 'downtime' }] },
  };
  check('Migration', (await ask(alpha, 'POST', '/api/migrations', move)).body);
  check('Experiment', (await ask(alpha, 'POST', '/api/experiments', { scenario })).body);
  const state = await eventually(
    async () => (await ask(alpha, 'GET', '/api/state')).body,
    ({ migrations: [one], experiments: [other] }) => one.endedAt !== null && other.endedAt !== null,
  );
  check('State', state);
  expect(state.migrations[0].record.outcome).toBe('completed');
  expect(state.experiments[0].state).toBe('completed');
  check('Guest', (await guestsOf(beta)())[0]);
  const records = (await ask(alpha, 'GET', `/api/experiments/${state.experiments[0].id}/records`)).body;
  for (const line of (records as string).trim().split('\n')) check('MigrationRecord', JSON.parse(line));
  check('Refusal', (await ask(alpha, 'POST', '/api/migrations', { guest: 5 })).body);
  check('Health', (await ask(alpha, 'GET', '/healthz')).body);
  check('Readiness', (await ask(alpha, 'GET', '/readyz')).body);

  const reader = watching.body!.pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  const isWhole = () =>
    /event: migration\n.*"state":"completed".*\n\n/.test(heard) && heard.includes('event: alive\n');
  while (!isWhole()) heard += (await reader.read()).value;
  await reader.cancel();
  const events = [...heard.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)];
  expect(new Set(events.map(([, event]) => event))).toEqual(
    new Set(['alive', 'guests', 'links', 'migration', 'experiment', 'pulse']),
  );
  for (const [, event, data] of events) check('Event', { event, data: JSON.parse(data!) });
});

/** What somebody writes against the client: it boots a guest, moves it, lists, and cancels another migration. */
const program = `
import { bootGuest, cancelMigration, defaults, getMigration, listGuests, listMigrations, migrateGuest, pauseGuest, resumeGuest, type Guest } from './client.js';

const [source, destination] = process.argv.slice(2) as [string, string];
const at = (address: string) => ({ baseUrl: 'http://' + address });
defaults.baseUrl = at(source).baseUrl;

const booted = await bootGuest({
  name: 'moved',
  pages: 1024,
  program: { kind: 'zipf', writesPerSecond: 100 },
});
if (booted.status !== 201) throw new Error(booted.data.error);
const guest: Guest = booted.data;

for (const change of [pauseGuest, resumeGuest]) {
  const changed = await change(guest.name, {});
  if (changed.status !== 200) throw new Error(changed.data.error);
}

/** Until it has ended. */
async function ended(id: string) {
  for (;;) {
    const answer = await getMigration(id);
    if (answer.status !== 200) throw new Error(answer.data.error);
    if (answer.data.endedAt !== null) return answer.data;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function move(rate: string) {
  const asked = await migrateGuest({
    guest: guest.name,
    to: 'beta',
    link: { rate },
    migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
  });
  if (asked.status !== 202) throw new Error(asked.data.error);
  return asked.data.id;
}

const slow = await move('1Mbit/s');
const cancelled = await cancelMigration(slow);
if (cancelled.status !== 202) throw new Error(cancelled.data.error);
const first = await ended(slow);
const second = await ended(await move('500Mbit/s'));
const all = await listMigrations();
const there = await listGuests(at(destination));
// @ts-expect-error: a link's capacity is not for a migration to say.
const refused = await migrateGuest({ guest: 'moved', to: 'beta', link: { rate: '1Mbit/s', capacity: '1Gbit/s' } });
console.log(JSON.stringify({
  states: [first.state, second.state],
  downtimeNs: second.record?.downtimeNs,
  listed: all.status === 200 ? all.data.length : 0,
  there: there.status === 200 ? there.data.map(({ name }) => name) : [],
  refused: refused.status === 400 ? refused.data.problems : refused.status,
}));
`;

test('a client that is generated from it type-checks, boots a guest, migrates it, lists and cancels', async () => {
  const exec = promisify(execFile);
  const compilerOptions = {
    ...{ target: 'ES2022', module: 'NodeNext', moduleResolution: 'NodeNext', strict: true },
    ...{ lib: ['ES2023', 'DOM'], types: ['node'], outDir: 'out', rootDir: '.' },
  };
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document));
  writeFileSync(join(folder, 'client.ts'), await generateSource(join(folder, 'openapi.json')));
  writeFileSync(join(folder, 'program.ts'), program);
  const compiled = await exec('npx', ['tsc', '-p', folder], { cwd: root }).catch(({ stdout }) => ({
    stdout,
  }));
  expect(compiled.stdout).toBe('');
  const { stdout } = await exec(process.execPath, [
    join(folder, 'out/program.js'),
    alpha.address,
    beta.address,
  ]);
  const said = JSON.parse(stdout);
  expect(said).toMatchObject({
    states: ['cancelled', 'completed'],
    refused: [{ path: 'body.link.capacity' }],
  });
  expect(said.downtimeNs).toBeGreaterThan(0);
  expect(said.listed).toBeGreaterThanOrEqual(2);
  expect(said.there).toContain('moved');
});
