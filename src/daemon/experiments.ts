import { randomUUID } from 'node:crypto';
import type { MigrationRecord } from '../core/migration/record.ts';
import { clockNs, timestamp } from '../platform/clock.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { Admission } from './admission.ts';
import type { Computing } from './computing.ts';
import type { EventLog } from './event-log.ts';
import type { Events } from './events.ts';
import { ExperimentFiles } from './experiment-files.ts';
import type { ExperimentNews } from './experiment-run.ts';
import { ExperimentTally } from './experiment-tally.ts';
import { ExperimentThreads } from './experiment-threads.ts';
import { JobViews } from './job-views.ts';
import type { ExperimentView } from './view-schemas.ts';

export interface ExperimentRequest {
  readonly name: string;
  readonly scenario: Record<string, unknown>;
  readonly world: WorldName;
  readonly priority: number;
  readonly queueTimeoutMs: number | undefined;
}

/** What experiments need of the daemon, and whom they tell. */
export interface ExperimentParts {
  readonly admission: Admission;
  readonly computing: Computing;
  readonly eventLog: EventLog;
  readonly events: Events;
  readonly ended: (record: MigrationRecord) => void;
  readonly log: (line: string) => void;
}

/** While records come in by the hundred, those who watch are told of some. */
const TELL_EVERY_NS = 100e6;

/** Experiments that were asked for: each runs in a thread when it is its turn. */
export class Experiments {
  readonly views: JobViews<'experiment'>;
  readonly #files: ExperimentFiles;
  readonly #threads = new ExperimentThreads();
  /** How to cancel each that runs. */
  readonly #running = new Map<string, () => void>();
  readonly #parts: ExperimentParts;

  /** @param folder what the process before this one has left there is known again */
  constructor(folder: string, parts: ExperimentParts) {
    this.#files = new ExperimentFiles(folder);
    this.#parts = parts;
    this.views = new JobViews('experiment', parts.events, (id) => this.#files.remove(id));
    for (const view of this.#files.past(parts.log)) {
      this.views.add(view);
      this.#keep(view.id);
    }
  }

  /**
   * @throws UsageError all that is wrong with the scenario
   * @throws NotAdmitted it can never run, too many wait already, or its records could not be written
   */
  async create(request: ExperimentRequest): Promise<ExperimentView> {
    const { name, world, scenario, priority, queueTimeoutMs } = request;
    const { admission, computing, eventLog } = this.#parts;
    eventLog.insistOnRoom();
    const { describe, runs, takes } = await computing.size(scenario, name, world);
    const id = randomUUID();
    admission.add({
      id,
      kind: 'experiment',
      priority,
      queueTimeoutMs,
      cpu: { takes },
      link: undefined,
      run: () => this.#run(id, request),
      dropped: (why) => {
        this.views.change(id, ended('cancelled', why));
        this.#keep(id);
      },
    });
    this.views.add({
      id,
      name,
      describe,
      world,
      state: 'waiting',
      why: null,
      createdAt: timestamp(),
      endedAt: null,
      runs: { done: 0, all: runs },
      downtime: null,
      cells: [],
      progress: null,
    });
    this.#keep(id);
    return this.views.get(id);
  }

  /** @throws NotFound. @throws Failure it has ended */
  cancel(id: string): ExperimentView {
    const { state } = this.views.get(id);
    if (!this.#parts.admission.drop(id, 'cancelled')) {
      const cancel = this.#running.get(id);
      if (!cancel) throw new Failure(`too late: it is ${state}`);
      cancel();
    }
    return this.views.get(id);
  }

  cancelAll(): void {
    for (const cancel of this.#running.values()) cancel();
  }

  /** It is known again after a restart. Without room on the disk it is not, and goes on all the same. */
  #keep(id: string): void {
    try {
      this.#files.keep(this.views.get(id));
    } catch (cause) {
      this.#parts.log(`experiment ${id} will not outlive this daemon: ${reasonOf(cause)}`);
    }
  }

  async #run(id: string, { scenario, name, world }: ExperimentRequest): Promise<void> {
    this.views.change(id, { state: 'running' });
    const tally = new ExperimentTally();
    let toldAtNs = clockNs();
    const hear = (news: ExperimentNews) => {
      switch (news.kind) {
        case 'progress':
          return this.views.change(id, { progress: news.progress });
        case 'record': {
          const { runs } = this.views.get(id);
          this.#parts.ended(news.record);
          tally.add(news.record, news.settings);
          this.views.update(id, { runs: { ...runs, done: runs.done + 1 } });
          if (clockNs() - toldAtNs <= TELL_EVERY_NS) return;
          toldAtNs = clockNs();
          return this.views.publish(id);
        }
        case 'ended': {
          const { failure, result } = tally;
          const end = failure === undefined ? ended(news.how, news.why) : ended('failed', failure);
          this.views.change(id, { ...end, ...result });
          return this.#keep(id);
        }
      }
    };
    const file = this.#files.records(id);
    const carried = this.#threads.carryOut({ document: scenario, name, world, file }, hear);
    this.#running.set(id, carried.cancel);
    await carried.ended;
    this.#running.delete(id);
  }
}

function ended(state: 'completed' | 'cancelled' | 'failed', why: string | null) {
  return { state, why, endedAt: timestamp(), progress: null };
}
