import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Arguments, type Result, ThreadCalls, type ThreadPort } from '../platform/thread-calls.ts';
import type { MigrationRequestBody } from './api-schemas.ts';
import type { ApiSettings } from './api-settings.ts';
import type { Overview } from './daemon.ts';
import type { HostNews } from './events.ts';
import type { HostMethods, Told } from './host-methods.ts';
import { LatestViews } from './latest-views.ts';
import type { MigrationView } from './migration-schemas.ts';
import { Refused } from './refusals.ts';
import { SharedAnswer } from './shared-answer.ts';
import { Turns } from './turns.ts';
import type { ExperimentView, StateView } from './view-schemas.ts';
import type { WatchedMachineView, WatchedView } from './watch-schemas.ts';
import { withoutPast } from './watched-view.ts';

/** How often the host is asked at most, however many ask here: what it answers takes a fraction of a millisecond. */
const OVERVIEW_EVERY_MS = 50;
/** It takes some milliseconds to collect. */
const NODE_METRICS_EVERY_MS = 1_000;
/** A host that does not answer for so long stands still. */
const ANSWERS_WITHIN_MS = 10_000;

/** What the host does, as far as it is told what that did. */
type Command = Exclude<keyof HostMethods, 'overview' | 'nodeMetrics' | 'cancelPlan'>;
type ValueOf<M extends Command> =
  Result<HostMethods[M]> extends infer T ? (T extends { readonly value: infer V } ? V : never) : never;

/**
 * The host, as the thread of the API knows it. What is read comes from what the host has told, so however much is read
 * costs the host nothing. What changes something is asked of it, a few at a time.
 */
export class HostView {
  readonly migrations = new LatestViews<MigrationView>('migration');
  readonly experiments = new LatestViews<ExperimentView>('experiment');
  /** The machines of others that are watched, by name. */
  readonly watched = new Map<string, WatchedMachineView>();
  readonly #calls: ThreadCalls<HostMethods>;
  readonly #changes = new Turns({ atOnce: 4, waitingInLane: 100, waiting: 100 });
  readonly #computations = new Turns({ atOnce: 1, waitingInLane: 4, waiting: 100 });
  /** For targets: each takes seconds, on all processors. */
  readonly #plans = new Turns({ atOnce: 1, waitingInLane: 4, waiting: 20 });
  readonly #overview: SharedAnswer<Overview>;
  readonly #nodeMetrics: SharedAnswer<string>;
  #settings: ApiSettings;

  constructor(port: ThreadPort, settings: ApiSettings) {
    this.#settings = settings;
    this.#calls = new ThreadCalls(port);
    this.#overview = new SharedAnswer(() => answered(this.#calls.call('overview')), OVERVIEW_EVERY_MS);
    this.#nodeMetrics = new SharedAnswer(
      () => answered(this.#calls.call('nodeMetrics')),
      NODE_METRICS_EVERY_MS,
    );
  }

  hear(news: HostNews): void {
    if (news.kind === 'settings') this.#settings = news.value;
    if (news.kind === 'migration') this.migrations.put(news.value);
    if (news.kind === 'experiment') this.experiments.put(news.value);
    if (news.kind === 'followed') this.watched.set(news.value.name, news.value);
    if (news.kind === 'unwatched') this.watched.delete(news.name);
  }

  get settings(): ApiSettings {
    return this.#settings;
  }

  /** Guests, links, processors and queues at this moment. @throws Refused the host does not answer */
  overview(): Promise<Overview> {
    return this.#overview.get();
  }

  /** Of the thread that has the guests and takes the steps of migrations. */
  nodeMetrics(): Promise<string> {
    return this.#nodeMetrics.get();
  }

  /** In the order of the configuration. */
  listWatched(): readonly WatchedView[] {
    return [...this.watched.values()].map(withoutPast);
  }

  /** Everything that the page shows. */
  async state(version: string): Promise<StateView> {
    const { unready: _, ...now } = await this.overview();
    // Named one by one: neither the key nor the certificate's is told.
    const { name, receives, apiKey, targetDowntimeNs, peers } = this.settings;
    return {
      ...{ name, version, receives, targetDowntimeNs, peers },
      needsKey: apiKey !== undefined,
      ...now,
      migrations: this.migrations.list(),
      experiments: this.experiments.list(),
      watched: this.listWatched(),
    };
  }

  /** Changes something. @throws Refused. @throws TooMany */
  change<M extends Command>(method: M, ...args: Arguments<HostMethods[M]>): Promise<ValueOf<M>> {
    return this.#changes.take('', () => this.#ask(method, args));
  }

  /**
   * Changes something for which something has to be computed first.
   * @param whose those of others do not wait for many of one's own
   * @throws Refused. @throws TooMany
   */
  compute<M extends Command>(
    whose: string,
    method: M,
    ...args: Arguments<HostMethods[M]>
  ): Promise<ValueOf<M>> {
    return this.#computations.take(whose, () => this.#ask(method, args));
  }

  /**
   * The same of a migration. With a target, what it reserves is planned first.
   * @param gone the client does not wait any more: then planning ends
   */
  computeMigration<M extends 'migrateGuest' | 'predictMigration'>(
    method: M,
    body: MigrationRequestBody,
    gone: AbortSignal,
  ): Promise<ValueOf<M>> {
    const turns = body.target ? this.#plans : this.#computations;
    return turns.take(`guest ${body.guest}`, async () => {
      const asked = randomUUID();
      const cancel = () => void this.#calls.call('cancelPlan', asked);
      gone.addEventListener('abort', cancel);
      try {
        if (gone.aborted)
          throw new Refused({ status: 409, body: { error: 'whoever asked for it has gone' } });
        return await this.#ask(method, [body, asked] as Arguments<HostMethods[M]>);
      } finally {
        gone.removeEventListener('abort', cancel);
      }
    });
  }

  async #ask<M extends Command>(method: M, args: Arguments<HostMethods[M]>): Promise<ValueOf<M>> {
    const told = (await this.#calls.call(method, ...args)) as Told<ValueOf<M>>;
    if ('value' in told) return told.value;
    if ('refused' in told) throw new Refused(told.refused);
    throw new Error(told.fault);
  }
}

async function answered<T>(call: Promise<T>): Promise<T> {
  const late = sleep(ANSWERS_WITHIN_MS, undefined, { ref: false }).then(() => {
    const error = `the thread of the guests has not answered within ${ANSWERS_WITHIN_MS / 1e3} s`;
    throw new Refused({ status: 503, body: { error } });
  });
  return Promise.race([call, late]);
}
