import { Failure } from '../platform/failure.ts';
import { insisting, problemsWithin } from '../scenario/checked.ts';
import { type DestinationThere, parseAddress } from '../transport/address.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { type ExperimentRequestBody, type MigrationRequestBody, queueTimeoutMs } from './api-schemas.ts';
import type { Daemon } from './daemon.ts';
import type { MigrationView, PredictionView } from './migration-schemas.ts';
import type { MigrationRequest } from './planned-migration.ts';
import { type Answer, NotFound, refusalOf } from './refusals.ts';
import type { PlannedRequest } from './target-plans.ts';
import type { ExperimentView, GuestView } from './view-schemas.ts';

/** What came of a call: what was asked for, why not, or an error of ours. */
export type Told<T> =
  | { readonly value: T }
  | { readonly refused: Answer }
  | { readonly fault: string | undefined };

/** What the thread of the API may ask of the host. Each takes a moment only. */
export function hostMethods(daemon: Daemon) {
  const { guests, migrations, experiments } = daemon;
  return {
    overview: () => daemon.overview(),
    nodeMetrics: () => daemon.nodeMetrics.scrape(),

    bootGuest: (definition: GuestDefinition) =>
      told<GuestView>(async () => {
        await guests.boot(definition, daemon.configuration.limits);
        return guests.get(definition.guest.name);
      }),
    pauseGuest: (name: string) => told<GuestView>(() => guests.change(name, 'pause')),
    resumeGuest: (name: string) => told<GuestView>(() => guests.change(name, 'resume')),
    endGuest: (name: string) => told<void>(() => guests.remove(name)),

    /** @param asked by which `cancelPlan` cancels planning, if it has a target */
    migrateGuest: (body: MigrationRequestBody, asked: string) =>
      toldWithin<MigrationView>('body', async () => {
        await migrations.insistOnTaking(body.guest);
        const planned = await plannedFor(body, asked, daemon);
        return migrations.create(planned?.request ?? reservingRequest(body, daemon));
      }),
    predictMigration: (body: MigrationRequestBody, asked: string) =>
      toldWithin<PredictionView>('body', async () => {
        const planned = await plannedFor(body, asked, daemon);
        if (planned) return daemon.dryRun(planned.request, planned.definition);
        const request = reservingRequest(body, daemon);
        return daemon.dryRun(request, await daemon.moverOf(body.guest).known(asked, request));
      }),
    cancelPlan: (asked: string) => daemon.cancelPlan(asked),
    cancelMigration: (id: string) => told<MigrationView>(() => migrations.cancel(id)),

    startExperiment: (body: ExperimentRequestBody) =>
      toldWithin<ExperimentView>('body.scenario', () => {
        const { name, world, scenario, priority } = body;
        return experiments.create({ name, world, scenario, priority, queueTimeoutMs: queueTimeoutMs(body) });
      }),
    cancelExperiment: (id: string) => told<ExperimentView>(() => experiments.cancel(id)),
  };
}

export type HostMethods = ReturnType<typeof hostMethods>;

/** Errors keep their class only within a thread, so what they mean to the caller is said here. */
async function told<T>(act: () => T | Promise<T>): Promise<Told<T>> {
  try {
    return { value: await act() };
  } catch (cause) {
    const refused = refusalOf(cause);
    return refused ? { refused } : { fault: (cause as Error).stack };
  }
}

/** @param place where in the request its problems are */
function toldWithin<T>(place: string, act: () => Promise<T>): Promise<Told<T>> {
  return told(() => problemsWithin(place, act));
}

/** What was planned for it; undefined: it has no target. */
async function plannedFor(
  body: MigrationRequestBody,
  asked: string,
  daemon: Daemon,
): Promise<PlannedRequest | undefined> {
  const { target, link, migration, sender, cpu, background } = body;
  if (!target) return;
  const document = { link, migration, sender, cpu, background };
  return daemon.targetPlans.planned(asked, { ...requestOf(body, daemon), target, asked: document });
}

/** With the reservations that it asks for itself. */
function reservingRequest(body: MigrationRequestBody, daemon: Daemon): MigrationRequest {
  const { link, migration, sender, cpu, background } = body;
  const document = { link: { ...link, rate: link.rate! }, migration, sender, cpu, background };
  return { ...requestOf(body, daemon), migration: document, target: null };
}

/** What both have. */
function requestOf(body: MigrationRequestBody, daemon: Daemon) {
  const { guest, to, priority } = body;
  const { there, over } = wayTo(to, body.over, daemon);
  return {
    guest,
    to: { name: to, there: destinationOf(to, there, daemon) },
    link: over === undefined ? undefined : linkOf(over, daemon),
    priority,
    queueTimeoutMs: queueTimeoutMs(body),
  };
}

/** A peer is looked up once its turn has come: a reload may have given it another address or key, or taken it away. */
function destinationOf(to: string, at: DestinationThere, daemon: Daemon): () => DestinationThere {
  if (!daemon.configuration.peers.has(to)) return () => at;
  return () => {
    const peer = daemon.configuration.peers.get(to);
    if (peer) return peer.there;
    throw new Failure(`peer '${to}' is not in the configuration any more`);
  };
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
