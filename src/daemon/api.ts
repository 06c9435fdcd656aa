import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { insisting, problemsWithin } from '../scenario/checked.ts';
import { guestDefinition } from '../scenario/migration-request.ts';
import { parseAddress } from '../transport/address.ts';
import { queueTimeoutMs } from './api-schemas.ts';
import type { Daemon } from './daemon.ts';
import { streamEvents } from './event-stream.ts';
import { openApi } from './openapi.ts';
import { type Operation, operations } from './operations.ts';
import { BadRequest, NotFound } from './refusals.ts';

type Given<Schema> = Schema extends z.ZodType ? z.output<Schema> : unknown;
type Answer<Schema> = Schema extends z.ZodType ? z.output<Schema> | FastifyReply : FastifyReply;

/** @returns what the operation answers with the status that is its own, or the reply where that is another */
type Handler<Op extends Operation> = (
  request: FastifyRequest & { readonly params: Given<Op['params']>; readonly body: Given<Op['body']> },
  reply: FastifyReply,
) => Answer<Op['answer']> | Promise<Answer<Op['answer']>>;

/** Nothing is taken that no schema describes, neither in the query nor in a body. */
const nothing = z.strictObject({}, 'nothing').nullish();

/** All operations. */
export function api(server: FastifyInstance, daemon: Daemon, version: string): void {
  const { guests, migrations, experiments, events, metrics } = daemon;

  function on<Op extends Operation>(operation: Op, handler: Handler<Op>): void {
    const { method, url, params, body = nothing, status }: Operation = operation;
    const changes = method !== 'GET';
    // Whoever scrapes or probes may be set up to add something to every address.
    const query = url.startsWith('/api/') && { querystring: nothing };
    server.route({
      method,
      url,
      schema: { ...query, ...(params && { params }), ...(changes && { body }) },
      ...(changes && { onRequest: async (request) => insistOnKey(request, daemon.configuration.apiKey) }),
      handler: (request, reply) => handler(request as Parameters<Handler<Op>>[0], reply.code(status)),
    });
  }

  on(operations.getState, () => daemon.state());
  on(operations.watchEvents, (request, reply) => streamEvents(request, reply, events));

  on(operations.listGuests, () => guests.list());
  on(operations.getGuest, ({ params }) => guests.get(params.name));
  on(operations.bootGuest, async ({ body }) => {
    const definition = guestDefinition(body, 'body');
    await guests.boot(definition, daemon.configuration.limits);
    return guests.get(body.name);
  });
  on(operations.pauseGuest, ({ params }) => guests.change(params.name, 'pause'));
  on(operations.resumeGuest, ({ params }) => guests.change(params.name, 'resume'));
  on(operations.endGuest, ({ params }) => guests.remove(params.name));

  on(operations.listLinks, () => daemon.links());

  on(operations.listMigrations, () => migrations.views.list());
  on(operations.getMigration, ({ params }) => migrations.views.get(params.id));
  on(operations.migrateGuest, ({ body }, reply) => {
    const { guest, to, priority, link, migration, sender, cpu, background } = body;
    const view = problemsWithin('body', () => {
      const { there, over } = wayTo(to, body.over, daemon);
      return migrations.create({
        guest,
        to: { name: to, there },
        link: over === undefined ? undefined : linkOf(over, daemon),
        migration: { link, migration, sender, cpu, background },
        priority,
        queueTimeoutMs: queueTimeoutMs(body),
      });
    });
    reply.header('location', `/api/migrations/${view.id}`);
    return view;
  });
  on(operations.cancelMigration, ({ params }) => migrations.cancel(params.id));
  on(operations.watchMigration, (request, reply) =>
    streamEvents(request, reply, events, migrations.views.get(request.params.id)),
  );

  on(operations.listExperiments, () => experiments.views.list());
  on(operations.getExperiment, ({ params }) => experiments.views.get(params.id));
  on(operations.getRecords, ({ params }, reply) => {
    const records = experiments.records(params.id);
    return reply.type(operations.getRecords.answer.mediaType).send(records);
  });
  on(operations.startExperiment, ({ body }, reply) => {
    const { name, world, scenario, priority } = body;
    const view = problemsWithin('body.scenario', () =>
      experiments.create({ name, world, scenario, priority, queueTimeoutMs: queueTimeoutMs(body) }),
    );
    reply.header('location', `/api/experiments/${view.id}`);
    return view;
  });
  on(operations.cancelExperiment, ({ params }) => experiments.cancel(params.id));
  on(operations.watchExperiment, (request, reply) =>
    streamEvents(request, reply, events, experiments.views.get(request.params.id)),
  );

  on(operations.getHealth, () => ({ ok: true as const }));
  on(operations.getReadiness, (_, reply) => {
    const { unready } = daemon;
    return unready === null
      ? { ready: true as const }
      : reply.code(503).send({ ready: false, error: unready });
  });
  on(operations.getMetrics, async (_, reply) => reply.type(metrics.contentType).send(await metrics.scrape()));
  on(operations.getNodeMetrics, async (_, reply) =>
    reply.type(metrics.contentType).send(await metrics.scrapeNode()),
  );
  const description = openApi(version);
  on(operations.getOpenApi, () => description);
}

/**
 * A peer by name, or the address of one: what is said of the way there holds for both.
 * @throws UsageError no address, or another link than the one over which it is reached
 */
function wayTo(to: string, asked: string | undefined, { configuration: { peers } }: Daemon) {
  const named = peers.get(to);
  const there = named?.there ?? { ...parseAddress(to, 'to'), key: null };
  const at = [...peers.values()].find(
    (peer) => peer.there.host === there.host && peer.there.port === there.port,
  );
  const over = (named ?? at)?.over ?? asked;
  insisting((insist) => {
    const isSame = asked === undefined || asked === over;
    insist(isSame, 'over', `${over}, the link over which that peer is reached`, asked);
  });
  return { there, over };
}

function linkOf(name: string, { configuration }: Daemon) {
  const capacityBytesPerSecond = configuration.links.get(name);
  if (capacityBytesPerSecond === undefined) throw new NotFound(`no link '${name}' in the configuration`);
  return { name, capacityBytesPerSecond };
}

/** Both are hashed, so that neither the time nor the length of a wrong one tells anything of the right one. */
function insistOnKey({ headers }: FastifyRequest, key: string | undefined): void {
  if (key === undefined) return;
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (given === undefined)
    throw new BadRequest(401, 'changing calls need the header "authorization: Bearer KEY"');
  const hash = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(hash(given), hash(key))) throw new BadRequest(401, 'not the key of this daemon');
}
