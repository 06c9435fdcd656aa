import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { MigrationRecord } from '../core/migration/record.ts';
import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { UsageError } from '../platform/problem.ts';
import { type Experiment, experimentOf, scenarioOf } from '../scenario/scenario.ts';
import { quantile } from '../study/statistics/estimate.ts';
import type { WorldName } from '../worlds/worlds.ts';
import type { Admission } from './admission.ts';
import type { Events } from './events.ts';
import type { ExperimentNews } from './experiment-run.ts';
import { ExperimentThreads } from './experiment-threads.ts';
import { History } from './history.ts';
import type { Progress } from './progress.ts';

export interface ExperimentRequest {
  readonly name: string;
  readonly scenario: Record<string, unknown>;
  readonly world: WorldName;
  readonly priority: number;
  readonly queueTimeoutMs: number | undefined;
}

/** An experiment as the API shows it. */
export interface ExperimentView {
  readonly id: string;
  readonly name: string;
  readonly describe: string;
  readonly world: WorldName;
  readonly state: 'waiting' | 'running' | 'completed' | 'cancelled' | 'failed';
  readonly why: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly runs: { readonly done: number; readonly all: number };
  /** Of the completed runs, once all have ended. */
  readonly downtime: { readonly medianNs: Nanos; readonly p95Ns: Nanos } | null;
  readonly progress: Progress | null;
}

/** What one request may ask for. */
const MOST_CELLS = 100;
const MOST_RUNS = 1_000;
const MOST_PAGES = 2_000_000;

/** While records come in by the hundred, those who watch are told of some. */
const TELL_EVERY_NS = 100e6;

interface Kept {
  view: ExperimentView;
  /** The records, one a line. */
  readonly file: string;
  readonly downtimesNs: Nanos[];
  cancel: (() => void) | undefined;
  toldAtNs: Nanos;
}

/** Experiments that were asked for: each runs in a thread when it is its turn. */
export class Experiments {
  readonly #folder: string;
  readonly #threads = new ExperimentThreads();
  readonly #kept = new History<Kept>({
    most: 200,
    hasEnded: ({ view }) => view.endedAt !== null,
    forgotten: ({ file }) => rmSync(file, { force: true }),
  });
  readonly #admission: Admission;
  readonly #events: Events;
  readonly #ended: (record: MigrationRecord) => void;

  /** @param folder for the records, which do not outlive this daemon: what was there before is deleted */
  constructor(
    folder: string,
    admission: Admission,
    events: Events,
    ended: (record: MigrationRecord) => void,
  ) {
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    this.#admission = admission;
    this.#events = events;
    this.#ended = ended;
  }

  list(): readonly ExperimentView[] {
    return this.#kept.all().map(({ view }) => view);
  }

  get(id: string): ExperimentView | undefined {
    return this.#kept.get(id)?.view;
  }

  /** The file of its records so far. */
  records(id: string): string | undefined {
    return this.#kept.get(id)?.file;
  }

  /**
   * @throws UsageError all that is wrong with the scenario
   * @throws NotAdmitted too many wait already
   */
  create(request: ExperimentRequest): ExperimentView {
    const experiment = bounded(request);
    const id = randomUUID();
    const kept: Kept = {
      file: join(this.#folder, `${id}.ndjson`),
      downtimesNs: [],
      cancel: undefined,
      toldAtNs: 0,
      view: {
        id,
        name: request.name,
        describe: experiment.describe,
        world: request.world,
        state: 'waiting',
        why: null,
        createdAt: new Date().toISOString(),
        endedAt: null,
        runs: { done: 0, all: experiment.cells.length * experiment.runs },
        downtime: null,
        progress: null,
      },
    };
    writeFileSync(kept.file, '');
    this.#admission.add(
      {
        id,
        kind: 'experiment',
        priority: request.priority,
        queueTimeoutMs: request.queueTimeoutMs,
        link: undefined,
        run: () => this.#run(kept, request),
        dropped: (why) => this.#change(kept, ended('cancelled', why)),
      },
      undefined,
    );
    this.#kept.add(id, kept);
    this.#publish(kept);
    return kept.view;
  }

  /** @returns whether there was something to cancel */
  cancel(id: string): boolean {
    if (this.#admission.drop(id, 'cancelled')) return true;
    const kept = this.#kept.get(id);
    if (!kept?.cancel) return false;
    kept.cancel();
    return true;
  }

  cancelAll(): void {
    for (const { view } of this.#kept.all()) this.cancel(view.id);
  }

  async #run(kept: Kept, { scenario, name, world }: ExperimentRequest): Promise<void> {
    this.#change(kept, { state: 'running' });
    const { ended, cancel } = this.#threads.carryOut(
      { document: scenario, name, world, file: kept.file },
      (news) => this.#hear(kept, news),
    );
    kept.cancel = cancel;
    await ended;
    kept.cancel = undefined;
  }

  #hear(kept: Kept, news: ExperimentNews): void {
    switch (news.kind) {
      case 'progress':
        this.#change(kept, { progress: news.progress });
        break;
      case 'record': {
        const { record } = news;
        const { runs } = kept.view;
        this.#ended(record);
        if (record.outcome === 'completed') kept.downtimesNs.push(record.downtimeNs);
        kept.view = { ...kept.view, runs: { ...runs, done: runs.done + 1 } };
        if (clockNs() - kept.toldAtNs > TELL_EVERY_NS) this.#publish(kept);
        break;
      }
      case 'ended':
        this.#change(kept, {
          ...ended(news.how, whyOf(news)),
          downtime: downtimeOf(kept.downtimesNs),
        });
    }
  }

  #change(kept: Kept, change: Partial<ExperimentView>): void {
    kept.view = { ...kept.view, ...change };
    this.#publish(kept);
  }

  #publish(kept: Kept): void {
    const { view } = kept;
    kept.toldAtNs = clockNs();
    this.#events.publish({ kind: 'experiment', id: view.id, value: view });
  }
}

function ended(state: 'completed' | 'cancelled' | 'failed', why: string | null): Partial<ExperimentView> {
  return { state, why, endedAt: new Date().toISOString(), progress: null };
}

function whyOf(news: ExperimentNews & { kind: 'ended' }): string | null {
  if (news.how === 'failed') return news.why;
  return news.how === 'cancelled' ? 'cancelled' : null;
}

function downtimeOf(downtimesNs: readonly Nanos[]): ExperimentView['downtime'] {
  if (downtimesNs.length === 0) return null;
  return { medianNs: quantile(downtimesNs, 0.5), p95Ns: quantile(downtimesNs, 0.95) };
}

/** Before the scenario is expanded: a short request must not ask for a long answer to whether it is right. */
function bounded({ scenario, name, world }: ExperimentRequest): Experiment {
  const { compare } = scenario;
  if (typeof compare === 'object' && compare !== null) {
    const cells = Object.values(compare).reduce(
      (product: number, values) => product * (Array.isArray(values) ? Math.max(1, values.length) : 1),
      1,
    );
    insist(cells <= MOST_CELLS, 'compare', `at most ${MOST_CELLS} combinations`, cells);
  }
  const experiment = experimentOf(scenarioOf(scenario, { name }));
  const runs = experiment.runs * experiment.cells.length;
  insist(runs <= MOST_RUNS, 'runs', `at most ${MOST_RUNS} with all combinations`, runs);
  for (const { guest } of experiment.cells) {
    const { pages, pageSizeBytes } = guest;
    insist(pages <= MOST_PAGES, 'guest.pages', `at most ${MOST_PAGES}`, pages);
    const fits = world === 'virtual' || pages * pageSizeBytes <= totalmem() / 8;
    insist(fits, 'guest.pages', 'a guest of at most an eighth of this host', pages);
  }
  return experiment;
}

function insist(holds: boolean, path: string, expected: string, found: number): void {
  if (!holds) throw new UsageError([{ path, expected, found: String(found) }]);
}
