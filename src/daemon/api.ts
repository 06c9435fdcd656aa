import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { guestDefinition } from '../scenario/migration-request.ts';
import { scenarioEntries } from '../scenario/schema-entries.ts';
import { insistOnJson, insistOnKey } from './access.ts';
import type { MigrationRequestBody } from './api-schemas.ts';
import { comparisonsOf } from './comparisons.ts';
import type { EventStreams } from './event-streams.ts';
import type { HostView } from './host-view.ts';
import { IdempotencyKeys } from './idempotency-keys.ts';
import type { Metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { type Operation, operations } from './operations.ts';
import { pageOf } from './pagination.ts';
import { PROBLEM_TYPE, problemDetails } from './problem-details.ts';
import { recordsIn } from './records-file.ts';
import { NotFound } from './refusals.ts';

type Given<Schema> = Schema extends z.ZodType ? z.output<Schema> : unknown;
type Answer<Schema> = Schema extends z.ZodType ? z.output<Schema> | FastifyReply : FastifyReply;

/** @returns what the operation answers with the status that is its own, or the reply where that is another */
type Handler<Op extends Operation> = (
  request: FastifyRequest & {
    readonly params: Given<Op['params']>;
    readonly query: Given<Op['query']>;
    readonly body: Given<Op['body']>;
  },
  reply: FastifyReply,
) => Answer<Op['answer']> | Promise<Answer<Op['answer']>>;

/** Nothing is taken that no schema describes, neither in the query nor in a body. */
const nothing = z.strictObject({}, 'nothing').nullish();

/** What the operations need. */
export interface ApiParts {
  readonly host: HostView;
  readonly streams: EventStreams;
  readonly metrics: Metrics;
  readonly version: string;
  /** Where the records of experiments are. */
  readonly records: string;
}

/** All operations. */
export function api(server: FastifyInstance, { host, streams, metrics, version, records }: ApiParts): void {
  const { migrations, experiments } = host;
  const guests = async () => (await host.overview()).guests;

  const withKey = (request: FastifyRequest, reply: FastifyReply) =>
    insistOnKey(request, reply, host.settings.apiKey);

  function on<Op extends Operation>(operation: Op, handler: Handler<Op>): void {
    const { method, url, params, query: taken = nothing, body = nothing, status }: Operation = operation;
    const changes = method !== 'GET';
    // Whoever scrapes or probes may be set up to add something to every address.
    const query = url.startsWith('/api/') && { querystring: taken };
    server.route({
      method,
      url,
      schema: { ...query, ...(params && { params }), ...(changes && { body }) },
      ...(changes && { onRequest: [withKey, insistOnJson] }),
      handler: (request, reply) => {
        const act = () => handler(request as Parameters<Handler<Op>>[0], reply.code(status));
        return method === 'POST' ? once(request, reply.code(status), act) : act();
      },
    });
  }

  const idempotencyKeys = new IdempotencyKeys();

  /** Of a request with a key of its own, what it brought about when it came first. */
  async function once(request: FastifyRequest, reply: FastifyReply, act: () => unknown): Promise<unknown> {
    const key = request.headers['idempotency-key'];
    if (key === undefined) return act();
    const what = `${request.method} ${request.url}\n${JSON.stringify(request.body)}`;
    const { body, location, isRepeated } = await idempotencyKeys.once(String(key), what, async () => {
      const answer = await act();
      return { body: answer, location: reply.getHeader('location')?.toString() };
    });
    if (isRepeated) reply.header('idempotency-replayed', 'true');
    if (location !== undefined) reply.header('location', location);
    return body;
  }

  /** Of a list, the part that is asked for; `link` leads to the next (RFC 8288). */
  function listed<Item extends { readonly id: string }>(
    items: readonly Item[],
    { query, url }: { readonly query: Parameters<typeof pageOf>[1]; readonly url: string },
    reply: FastifyReply,
  ): readonly Item[] {
    const { page, next } = pageOf(items, query);
    if (next !== undefined) reply.header('link', `<${url.split('?')[0]}?${next}>; rel="next"`);
    return page;
  }

  /** With a target, what is reserved is planned first, as long as the client waits for it. */
  function computed<M extends 'migrateGuest' | 'predictMigration'>(
    method: M,
    body: MigrationRequestBody,
    reply: FastifyReply,
  ) {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return host.computeMigration(method, body, gone.signal);
  }

  on(operations.getState, () => host.state(version));
  on(operations.watchEvents, (request, reply) => streams.open(request, reply));

  on(operations.listGuests, guests);
  on(operations.getGuest, async ({ params: { name } }) => {
    const found = (await guests()).find((guest) => guest.name === name);
    if (found) return found;
    throw new NotFound(`no guest '${name}' here`);
  });
  on(operations.bootGuest, async ({ body }, reply) => {
    const view = await host.change('bootGuest', guestDefinition(body, 'body'));
    reply.header('location', `/api/guests/${view.name}`);
    return view;
  });
  on(operations.pauseGuest, ({ params }) => host.change('pauseGuest', params.name));
  on(operations.resumeGuest, ({ params }) => host.change('resumeGuest', params.name));
  on(operations.endGuest, ({ params }) => host.change('endGuest', params.name));

  on(operations.getCpu, async () => (await host.overview()).cpu);
  on(operations.listLinks, async () => (await host.overview()).links);

  on(operations.listWatched, () => host.listWatched());
  on(operations.getWatched, ({ params: { name } }) => {
    const found = host.watched.get(name);
    if (found) return found;
    throw new NotFound(`no watched machine '${name}'`);
  });

  on(operations.listMigrations, (request, reply) => listed(migrations.list(), request, reply));
  on(operations.getMigration, ({ params }) => migrations.get(params.id));
  on(operations.migrateGuest, async ({ body }, reply) => {
    const view = await computed('migrateGuest', body, reply);
    reply.header('location', `/api/migrations/${view.id}`);
    return view;
  });
  on(operations.cancelMigration, ({ params }) => host.change('cancelMigration', params.id));
  on(operations.watchMigration, (request, reply) =>
    streams.open(request, reply, migrations.get(request.params.id)),
  );

  on(operations.predictMigration, ({ body }, reply) => computed('predictMigration', body, reply));
  on(operations.listComparisons, () => comparisonsOf(migrations.list()));

  on(operations.listExperiments, (request, reply) => listed(experiments.list(), request, reply));
  on(operations.getExperiment, ({ params }) => experiments.get(params.id));
  on(operations.getRecords, ({ params }, reply) => {
    const lines = recordsIn(records, experiments.get(params.id).id);
    return reply.type(operations.getRecords.answer.mediaType).send(lines);
  });
  on(operations.startExperiment, async ({ body }, reply) => {
    const view = await host.compute('experiments', 'startExperiment', body);
    reply.header('location', `/api/experiments/${view.id}`);
    return view;
  });
  on(operations.cancelExperiment, ({ params }) => host.change('cancelExperiment', params.id));
  on(operations.watchExperiment, (request, reply) =>
    streams.open(request, reply, experiments.get(request.params.id)),
  );

  let entries: ReturnType<typeof scenarioEntries> | undefined;
  on(operations.getReference, () => (entries ??= scenarioEntries()));

  on(operations.getHealth, () => ({ ok: true as const }));
  on(operations.getReadiness, async (_, reply) => {
    const { unready } = await host.overview();
    return unready === null
      ? { ready: true as const }
      : reply
          .code(503)
          .type(PROBLEM_TYPE)
          .send({ ready: false, ...problemDetails(503, { error: unready }) });
  });
  on(operations.getMetrics, async (_, reply) => reply.type(metrics.contentType).send(await metrics.scrape()));
  on(operations.getNodeMetrics, async (_, reply) =>
    reply.type(metrics.contentType).send(await host.nodeMetrics()),
  );
  // A third of a daemon's start, were it made then.
  let description: ReturnType<typeof openApi> | undefined;
  on(operations.getOpenApi, () => (description ??= openApi(version)));
}
