import { z } from 'zod';
import { experimentBody, guestBody, idParams, migrationBody, nameParams } from './api-schemas.ts';
import { comparisonView, migrationView, predictionView } from './migration-schemas.ts';
import { pageQuery } from './pagination.ts';
import { listOf } from './record-schema.ts';
import {
  cpuView,
  experimentView,
  guestView,
  healthView,
  linkView,
  readinessView,
  referenceView,
  stateView,
} from './view-schemas.ts';
import { watchedMachineView, watchedView } from './watch-schemas.ts';

/** An answer that is not JSON. */
interface Text {
  readonly mediaType: string;
  readonly description: string;
}

/** What can be asked of a daemon: requests are checked by it, and OpenAPI is made from it. */
export interface Operation {
  /** What is asked by another method than GET changes something, and needs the key. */
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly summary: string;
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly status: number;
  readonly answer: z.ZodType | Text;
  /** The statuses with which it may be refused, besides those of every operation, and 404 where it names something. */
  readonly refused: readonly number[];
}

/** What an address names. */
type ParamsOf<Url extends string> = Url extends `${string}/:name${string}`
  ? typeof nameParams
  : Url extends `${string}/:id${string}`
    ? typeof idParams
    : undefined;

interface More<Body, Query> {
  readonly body?: Body;
  readonly query?: Query;
  readonly status?: 201 | 202 | 204;
  readonly refused?: readonly number[];
}

function by(method: Operation['method']) {
  return <
    Url extends string,
    Answer extends Operation['answer'],
    Body extends z.ZodType | undefined = undefined,
    Query extends z.ZodType | undefined = undefined,
  >(
    url: Url,
    summary: string,
    answer: Answer,
    { body, query, status, refused = [] }: More<Body, Query> = {},
  ) => {
    const params = url.includes('/:name') ? nameParams : url.includes('/:id') ? idParams : undefined;
    const taken = { params: params as ParamsOf<Url>, query: query as Query, body: body as Body };
    return { method, url, summary, answer, status: status ?? 200, refused, ...taken };
  };
}

const [get, post, remove] = [by('GET'), by('POST'), by('DELETE')];

/** By the first part of an address below /api; `probes` are the others. */
export const tags = {
  state: 'Everything at once',
  events: 'What happens from then on',
  guests: 'Guests that live here',
  cpu: 'Processors, and what is reserved of them',
  links: 'Links, and what is reserved of them',
  migrations: 'Migrations to other hosts',
  predictions: 'What a migration would come to',
  comparisons: 'What guarantees did',
  watched: 'Machines of others, whose migrations are followed',
  experiments: 'Scenarios that are carried out here',
  reference: 'What can be written in a scenario',
  probes: 'For whoever watches the daemon itself',
};

const serverSentEvents: Text = {
  mediaType: 'text/event-stream',
  description:
    'Server-sent events (WHATWG HTML, section 9.2), without end. Who comes back with the header `last-event-id` hears what it has missed. The schema Event says which: `event` is the name of one, and `data` what its data is as JSON.',
};
const ndjson: Text = { mediaType: 'application/x-ndjson', description: 'A MigrationRecord as JSON a line.' };
const metrics: Text = { mediaType: 'text/plain', description: 'The text format of Prometheus.' };
const document = z.looseObject({ openapi: z.string() });
const nothing = z.void();

/** By the name of its function in a client. */
export const operations = {
  getState: get('/api/state', 'Everything that the page shows', stateView, { refused: [503] }),
  watchEvents: get('/api/events', 'Everything that happens', serverSentEvents, { refused: [429] }),

  listGuests: get(
    '/api/guests',
    'Guests that live here, and those that an earlier process lost',
    listOf(guestView),
    { refused: [503] },
  ),
  getGuest: get('/api/guests/:name', 'One guest', guestView, { refused: [503] }),
  bootGuest: post('/api/guests', 'Boot a guest', guestView, {
    body: guestBody,
    status: 201,
    refused: [409, 503],
  }),
  pauseGuest: post('/api/guests/:name/pause', 'Pause a guest', guestView, { refused: [409] }),
  resumeGuest: post('/api/guests/:name/resume', 'Let a paused guest run on', guestView, { refused: [409] }),
  endGuest: remove('/api/guests/:name', 'End a guest, or forget one that died', nothing, {
    status: 204,
    refused: [409],
  }),

  getCpu: get('/api/cpu', 'Processors, and what is reserved of them', cpuView, { refused: [503] }),
  listLinks: get('/api/links', 'Links, what is reserved of them, and who waits', listOf(linkView), {
    refused: [503],
  }),

  listMigrations: get('/api/migrations', 'Migrations, the latest first', listOf(migrationView), {
    query: pageQuery,
  }),
  getMigration: get('/api/migrations/:id', 'One migration', migrationView),
  migrateGuest: post('/api/migrations', 'Move a guest to another host', migrationView, {
    body: migrationBody,
    status: 202,
    refused: [404, 409, 422, 429, 503],
  }),
  cancelMigration: remove(
    '/api/migrations/:id',
    'Cancel a migration: its guest goes on here',
    migrationView,
    {
      status: 202,
      refused: [409],
    },
  ),
  watchMigration: get('/api/migrations/:id/events', 'What happens to one migration', serverSentEvents, {
    refused: [429],
  }),

  predictMigration: post(
    '/api/predictions',
    'What a migration would come to, if it were asked for now: nothing is moved or reserved',
    predictionView,
    { body: migrationBody, refused: [404, 409, 503] },
  ),
  listComparisons: get(
    '/api/comparisons',
    'Migrations with CPU reservations, beside the same without: measured, or in virtual time',
    listOf(comparisonView),
  ),

  listWatched: get(
    '/api/watched',
    'Machines of others, and the migrations of them that go on',
    listOf(watchedView),
  ),
  getWatched: get('/api/watched/:name', 'One of them, with its past migrations', watchedMachineView),

  listExperiments: get('/api/experiments', 'Experiments, the latest first', listOf(experimentView), {
    query: pageQuery,
  }),
  getExperiment: get('/api/experiments/:id', 'One experiment', experimentView),
  getRecords: get('/api/experiments/:id/records', 'The records of an experiment so far, one a line', ndjson),
  startExperiment: post('/api/experiments', 'Carry out a scenario', experimentView, {
    body: experimentBody,
    status: 202,
    refused: [429, 503],
  }),
  cancelExperiment: remove(
    '/api/experiments/:id',
    'Cancel an experiment; its records so far stay',
    experimentView,
    { status: 202, refused: [409] },
  ),
  watchExperiment: get('/api/experiments/:id/events', 'What happens to one experiment', serverSentEvents, {
    refused: [429],
  }),

  getReference: get(
    '/api/reference',
    'Every key of a scenario, as `switchover reference` has it',
    referenceView,
  ),

  getHealth: get('/healthz', 'Whether it answers at all', healthView),
  getReadiness: get(
    '/readyz',
    'Whether it takes something new: neither starting nor draining, and able to write it down',
    readinessView,
    {
      refused: [503],
    },
  ),
  getMetrics: get('/metrics', 'Metrics of the daemon', metrics, { refused: [503] }),
  getNodeMetrics: get('/metrics/node', 'Metrics of Node.js', metrics, { refused: [503] }),
  getOpenApi: get('/openapi.json', 'This description', document),
};
