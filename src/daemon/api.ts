import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { guestDefinition } from '../scenario/migration-request.ts';
import { parseAddress } from '../transport/address.ts';
import type { WorldName } from '../worlds/worlds.ts';
import { experimentBody, guestBody, idParams, migrationBody, nameParams, refusal } from './api-schemas.ts';
import type { Daemon } from './daemon.ts';
import { streamEvents } from './event-stream.ts';
import { BadRequest } from './refusals.ts';

type Id = { Params: { id: string } };
type Name = { Params: { name: string } };
interface Waiting {
  readonly priority: number;
  readonly patienceSeconds?: number;
}
type MigrationBody = Waiting & { guest: string; to: string; over?: string } & Record<string, unknown>;
type ExperimentBody = Waiting & { name: string; world: WorldName; scenario: Record<string, unknown> };

const refusals = { '4xx': refusal, '5xx': refusal };

/** The routes below /api: guests, links, migrations, experiments, and events of all of them. */
export function api(server: FastifyInstance, daemon: Daemon): void {
  const { guests, migrations, experiments, events } = daemon;
  const looks = (tag: string, summary: string, more: object = {}) => ({
    schema: { tags: [tag], summary, response: refusals, ...more },
  });
  const changes = (tag: string, summary: string, more: object = {}) => ({
    schema: { tags: [tag], summary, security: [{ key: [] }], response: refusals, ...more },
    onRequest: async (request: FastifyRequest) => insistOnKey(request, daemon.configuration.apiKey),
  });

  server.get('/state', looks('state', 'Everything that the page shows'), () => daemon.state());
  server.get('/events', looks('state', 'Everything that happens, as server-sent events'), (request, reply) =>
    streamEvents(request, reply, events, () => true),
  );

  server.get(
    '/guests',
    looks('guests', 'Guests that live here, and those that an earlier process lost'),
    () => guests.list(),
  );
  server.get<Name>('/guests/:name', looks('guests', 'One guest', { params: nameParams }), ({ params }) =>
    guests.get(params.name),
  );
  server.post<{ Body: Record<string, unknown> }>(
    '/guests',
    changes('guests', 'Boot a guest', { body: guestBody }),
    async ({ body }, reply) => {
      const guest = guestDefinition(body, 'body');
      await guests.boot(guest, daemon.configuration.limits);
      return reply.code(201).send(guests.get(guest.guest.name));
    },
  );
  for (const change of ['pause', 'resume'] as const) {
    server.post<Name>(
      `/guests/:name/${change}`,
      changes('guests', `${change} a guest`, { params: nameParams }),
      async ({ params }) => {
        await guests[change](params.name);
        return guests.get(params.name);
      },
    );
  }
  server.delete<Name>(
    '/guests/:name',
    changes('guests', 'End a guest, or forget one that died', { params: nameParams }),
    async ({ params }, reply) => {
      await guests.remove(params.name);
      return reply.code(204).send();
    },
  );

  server.get('/links', looks('links', 'Links, what is reserved of them, and who waits'), () =>
    daemon.links(),
  );

  server.get('/migrations', looks('migrations', 'Migrations, the latest first'), () => migrations.list());
  server.get<Id>(
    '/migrations/:id',
    looks('migrations', 'One migration', { params: idParams }),
    ({ params }) => found(migrations.get(params.id), 'migration'),
  );
  server.post<{ Body: MigrationBody }>(
    '/migrations',
    changes('migrations', 'Move a guest to another host', { body: migrationBody }),
    ({ body }, reply) => {
      const { guest, to, over, priority, patienceSeconds, ...migration } = body;
      const view = migrations.create({
        guest,
        to: {
          name: to,
          there: daemon.configuration.peers.get(to) ?? { ...parseAddress(to, 'body.to'), key: null },
        },
        link: over === undefined ? undefined : linkOf(over, daemon),
        migration,
        ...waitingOf({ priority, ...(patienceSeconds !== undefined && { patienceSeconds }) }),
      });
      return accepted(reply, `/api/migrations/${view.id}`, view);
    },
  );
  server.delete<Id>(
    '/migrations/:id',
    changes('migrations', 'Cancel a migration: its guest goes on here', { params: idParams }),
    ({ params }, reply) => {
      const { state } = found(migrations.get(params.id), 'migration');
      if (!migrations.cancel(params.id)) throw new BadRequest(409, `too late: it is ${state}`);
      return reply.code(202).send(migrations.get(params.id));
    },
  );
  server.get<Id>(
    '/migrations/:id/events',
    looks('migrations', 'What happens to one migration, as server-sent events', { params: idParams }),
    (request, reply) => {
      const view = found(migrations.get(request.params.id), 'migration');
      return streamEvents(request, reply, events, isOf('migration', view.id), view);
    },
  );

  server.get('/experiments', looks('experiments', 'Experiments, the latest first'), () => experiments.list());
  server.get<Id>(
    '/experiments/:id',
    looks('experiments', 'One experiment', { params: idParams }),
    ({ params }) => found(experiments.get(params.id), 'experiment'),
  );
  server.get<Id>(
    '/experiments/:id/records',
    looks('experiments', 'Its records so far, one a line', { params: idParams }),
    ({ params }, reply) => {
      const file = found(experiments.records(params.id), 'experiment');
      return reply.type('application/x-ndjson').send(createReadStream(file));
    },
  );
  server.post<{ Body: ExperimentBody }>(
    '/experiments',
    changes('experiments', 'Carry out a scenario', { body: experimentBody }),
    ({ body: { name, world, scenario, ...waiting } }, reply) => {
      const view = experiments.create({ name, world, scenario, ...waitingOf(waiting) });
      return accepted(reply, `/api/experiments/${view.id}`, view);
    },
  );
  server.delete<Id>(
    '/experiments/:id',
    changes('experiments', 'Cancel an experiment; its records so far stay', { params: idParams }),
    ({ params }, reply) => {
      const { state } = found(experiments.get(params.id), 'experiment');
      if (!experiments.cancel(params.id)) throw new BadRequest(409, `too late: it is ${state}`);
      return reply.code(202).send(experiments.get(params.id));
    },
  );
  server.get<Id>(
    '/experiments/:id/events',
    looks('experiments', 'What happens to one experiment, as server-sent events', { params: idParams }),
    (request, reply) => {
      const view = found(experiments.get(request.params.id), 'experiment');
      return streamEvents(request, reply, events, isOf('experiment', view.id), view);
    },
  );
}

function accepted<T>(reply: FastifyReply, location: string, view: T): FastifyReply {
  return reply.code(202).header('location', location).send(view);
}

function found<T>(item: T | undefined, what: string): T {
  if (item === undefined) throw new BadRequest(404, `no such ${what}`);
  return item;
}

function waitingOf({ priority, patienceSeconds }: Waiting) {
  return { priority, queueTimeoutMs: patienceSeconds === undefined ? undefined : patienceSeconds * 1e3 };
}

function linkOf(name: string, { configuration }: Daemon) {
  const capacityBytesPerSecond = configuration.links.get(name);
  if (capacityBytesPerSecond === undefined)
    throw new BadRequest(404, `no link '${name}' in the configuration`);
  return { name, capacityBytesPerSecond };
}

function isOf(kind: 'migration' | 'experiment', id: string) {
  return (event: { kind: string; id?: string }) => event.kind === kind && event.id === id;
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
