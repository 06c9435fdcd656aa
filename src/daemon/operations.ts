import { z } from 'zod';
import { experimentBody, guestBody, idParams, migrationBody, nameParams } from './api-schemas.ts';
import {
  experimentView,
  guestView,
  healthView,
  linkView,
  listOf,
  migrationView,
  readinessView,
  stateView,
} from './view-schemas.ts';

/** An answer that is not JSON. */
export interface Text {
  readonly mediaType: string;
  readonly description: string;
}

/** What can be asked of a daemon: requests are checked by it, and OpenAPI is made from it. */
export interface Operation {
  /** What is asked by another method than GET changes something, and needs the key. */
  readonly route: `${'GET' | 'POST' | 'DELETE'} /${string}`;
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly body?: z.ZodType;
  /** If it is not 200. */
  readonly status?: 201 | 202 | 204;
  readonly answer: z.ZodType | Text;
  /** The statuses with which it may be refused, besides those of every operation, and 404 where it names something. */
  readonly refused?: readonly number[];
}

/** By the first part of a route below /api; `probes` are the others. */
export const tags = {
  state: 'Everything at once',
  events: 'What happens from then on',
  guests: 'Guests that live here',
  links: 'Links, and what is reserved of them',
  migrations: 'Migrations to other hosts',
  experiments: 'Scenarios that are carried out here',
  probes: 'For whoever watches the daemon itself',
};

const serverSentEvents: Text = {
  mediaType: 'text/event-stream',
  description:
    'Server-sent events (WHATWG HTML, section 9.2), without end. The schema Event says which: `event` is the name of one, and `data` what its data is as JSON.',
};
const ndjson: Text = { mediaType: 'application/x-ndjson', description: 'A MigrationRecord as JSON a line.' };
const metrics: Text = { mediaType: 'text/plain', description: 'The text format of Prometheus.' };
const nothing = z.void();

/** By the name of its function in a client. */
export const operations = {
  getState: {
    route: 'GET /api/state',
    summary: 'Everything that the page shows',
    answer: stateView,
  },
  watchEvents: {
    route: 'GET /api/events',
    summary: 'Everything that happens',
    answer: serverSentEvents,
  },

  listGuests: {
    route: 'GET /api/guests',
    summary: 'Guests that live here, and those that an earlier process lost',
    answer: listOf(guestView),
  },
  getGuest: {
    route: 'GET /api/guests/:name',
    summary: 'One guest',
    params: nameParams,
    answer: guestView,
  },
  bootGuest: {
    route: 'POST /api/guests',
    summary: 'Boot a guest',
    body: guestBody,
    status: 201,
    answer: guestView,
    refused: [409],
  },
  pauseGuest: {
    route: 'POST /api/guests/:name/pause',
    summary: 'Pause a guest',
    params: nameParams,
    answer: guestView,
    refused: [409],
  },
  resumeGuest: {
    route: 'POST /api/guests/:name/resume',
    summary: 'Let a paused guest run on',
    params: nameParams,
    answer: guestView,
    refused: [409],
  },
  endGuest: {
    route: 'DELETE /api/guests/:name',
    summary: 'End a guest, or forget one that died',
    params: nameParams,
    status: 204,
    answer: nothing,
    refused: [409],
  },

  listLinks: {
    route: 'GET /api/links',
    summary: 'Links, what is reserved of them, and who waits',
    answer: listOf(linkView),
  },

  listMigrations: {
    route: 'GET /api/migrations',
    summary: 'Migrations, the latest first',
    answer: listOf(migrationView),
  },
  getMigration: {
    route: 'GET /api/migrations/:id',
    summary: 'One migration',
    params: idParams,
    answer: migrationView,
  },
  migrateGuest: {
    route: 'POST /api/migrations',
    summary: 'Move a guest to another host',
    body: migrationBody,
    status: 202,
    answer: migrationView,
    refused: [404, 409, 422, 429, 503],
  },
  cancelMigration: {
    route: 'DELETE /api/migrations/:id',
    summary: 'Cancel a migration: its guest goes on here',
    params: idParams,
    status: 202,
    answer: migrationView,
    refused: [409],
  },
  watchMigration: {
    route: 'GET /api/migrations/:id/events',
    summary: 'What happens to one migration',
    params: idParams,
    answer: serverSentEvents,
  },

  listExperiments: {
    route: 'GET /api/experiments',
    summary: 'Experiments, the latest first',
    answer: listOf(experimentView),
  },
  getExperiment: {
    route: 'GET /api/experiments/:id',
    summary: 'One experiment',
    params: idParams,
    answer: experimentView,
  },
  getRecords: {
    route: 'GET /api/experiments/:id/records',
    summary: 'The records of an experiment so far, one a line',
    params: idParams,
    answer: ndjson,
  },
  startExperiment: {
    route: 'POST /api/experiments',
    summary: 'Carry out a scenario',
    body: experimentBody,
    status: 202,
    answer: experimentView,
    refused: [429, 503],
  },
  cancelExperiment: {
    route: 'DELETE /api/experiments/:id',
    summary: 'Cancel an experiment; its records so far stay',
    params: idParams,
    status: 202,
    answer: experimentView,
    refused: [409],
  },
  watchExperiment: {
    route: 'GET /api/experiments/:id/events',
    summary: 'What happens to one experiment',
    params: idParams,
    answer: serverSentEvents,
  },

  getHealth: {
    route: 'GET /healthz',
    summary: 'Whether it answers at all',
    answer: healthView,
  },
  getReadiness: {
    route: 'GET /readyz',
    summary: 'Whether it takes something new: neither starting nor draining',
    answer: readinessView,
    refused: [503],
  },
  getMetrics: {
    route: 'GET /metrics',
    summary: 'Metrics of the daemon',
    answer: metrics,
  },
  getNodeMetrics: {
    route: 'GET /metrics/node',
    summary: 'Metrics of Node.js',
    answer: metrics,
  },
  getOpenApi: {
    route: 'GET /openapi.json',
    summary: 'This description',
    answer: z.looseObject({ openapi: z.string() }),
  },
} satisfies Readonly<Record<string, Operation>>;

export function methodOf({ route }: Operation): string {
  return route.split(' ')[0]!;
}

export function urlOf({ route }: Operation): string {
  return route.split(' ')[1]!;
}
