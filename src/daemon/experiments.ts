import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHANGED_ON_ITS_WAY } from '../core/migration/migration-result.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import type { Nanos } from '../core/units.ts';
import { clockNs, timestamp } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { makeFolders } from '../platform/paths.ts';
import { areAlike, quantile } from '../study/statistics/estimate.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { Admission } from './admission.ts';
import type { Computing } from './computing.ts';
import type { EventLog } from './event-log.ts';
import type { Events } from './events.ts';
import type { ExperimentNews } from './experiment-run.ts';
import { ExperimentThreads } from './experiment-threads.ts';
import { JobViews } from './job-views.ts';
import { recordsFile } from './records-file.ts';
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
}

/** A file of records is called by the number of its experiment (RFC 9562). */
const RECORDS = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.ndjson$/;

/** While records come in by the hundred, those who watch are told of some. */
const TELL_EVERY_NS = 100e6;

/** Experiments that were asked for: each runs in a thread when it is its turn. */
export class Experiments {
  readonly views: JobViews<'experiment'>;
  readonly #folder: string;
  readonly #threads = new ExperimentThreads();
  /** How to cancel each that runs. */
  readonly #running = new Map<string, () => void>();
  readonly #parts: ExperimentParts;

  /** @param folder for the records, which do not outlive this daemon: those that are there already are deleted */
  constructor(folder: string, parts: ExperimentParts) {
    this.#folder = folder;
    makeFolders(folder);
    for (const name of readdirSync(folder)) if (RECORDS.test(name)) rmSync(join(folder, name));
    this.views = new JobViews('experiment', parts.events, (id) => rmSync(this.#file(id), { force: true }));
    this.#parts = parts;
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
      dropped: (why) => this.views.change(id, ended('cancelled', why)),
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
      progress: null,
    });
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

  #file(id: string): string {
    return recordsFile(this.#folder, id);
  }

  async #run(id: string, { scenario, name, world }: ExperimentRequest): Promise<void> {
    this.views.change(id, { state: 'running' });
    const downtimesNs: Nanos[] = [];
    const totalsNs: Nanos[] = [];
    let changed = 0;
    let toldAtNs = clockNs();
    const hear = (news: ExperimentNews) => {
      switch (news.kind) {
        case 'progress':
          return this.views.change(id, { progress: news.progress });
        case 'record': {
          const { runs } = this.views.get(id);
          this.#parts.ended(news.record);
          if (news.record.verified.continued === 'different') changed += 1;
          if (news.record.outcome === 'completed') {
            downtimesNs.push(news.record.downtimeNs);
            totalsNs.push(news.record.totalNs);
          }
          this.views.update(id, { runs: { ...runs, done: runs.done + 1 } });
          if (clockNs() - toldAtNs <= TELL_EVERY_NS) return;
          toldAtNs = clockNs();
          return this.views.publish(id);
        }
        case 'ended': {
          const downtime = downtimeOf(downtimesNs, totalsNs);
          const end = changed === 0 ? ended(news.how, news.why) : ended('failed', changedIn(changed));
          return this.views.change(id, { ...end, downtime });
        }
      }
    };
    const file = this.#file(id);
    const carried = this.#threads.carryOut({ document: scenario, name, world, file }, hear);
    this.#running.set(id, carried.cancel);
    await carried.ended;
    this.#running.delete(id);
  }
}

function ended(state: 'completed' | 'cancelled' | 'failed', why: string | null) {
  return { state, why, endedAt: timestamp(), progress: null };
}

function changedIn(runs: number): string {
  return `in ${runs} of the runs ${CHANGED_ON_ITS_WAY}`;
}

function downtimeOf(downtimesNs: readonly Nanos[], totalsNs: readonly Nanos[]): ExperimentView['downtime'] {
  if (downtimesNs.length === 0) return null;
  const runsDiffer = !areAlike(downtimesNs, totalsNs);
  return { medianNs: quantile(downtimesNs, 0.5), p95Ns: quantile(downtimesNs, 0.95), runsDiffer };
}
