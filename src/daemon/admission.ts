import {
  ask,
  byUrgency,
  demandOf,
  grantedBytesPerSecond,
  impossible,
  leaseOf,
  release,
  type Urgency,
} from '../core/link/ledger.ts';
import { type BytesPerSecond, formatDuration, NANOS_PER_MILLISECOND } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { Refusal } from '../platform/failure.ts';
import type { HostCpu } from './host-cpu.ts';
import { type Job, type JobKind, jobKinds } from './job.ts';
import { Links } from './links.ts';
import type { LinkView, QueueView } from './view-schemas.ts';

type Limits = Readonly<Record<'runningMigrations' | 'runningExperiments' | 'waiting', number>>;

/** Why a job is not taken. */
export class NotAdmitted extends Refusal {
  readonly reason: 'link' | 'cpu' | 'target' | 'queue' | 'draining' | 'memory' | 'disk';

  constructor(reason: NotAdmitted['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Whoever is told how the queues and links do. */
interface Listener {
  /** A job's turn has come. */
  waited(kind: JobKind, ns: number): void;
  linksChanged(links: readonly LinkView[]): void;
}

interface Waiting extends Urgency {
  readonly job: Job;
  readonly timeout: NodeJS.Timeout | undefined;
  /** What it lacked when it was last looked at. */
  lacks: string;
}

/**
 * Who runs. A job needs a place among those of its kind, its reservations of the processors, and its rate of a link. It
 * begins when there is room for it everywhere, and until then has nothing of anything: so whoever waits for one thing
 * keeps nobody from another. Whoever is more urgent is looked at first, by the ledger's own rule.
 * (docs/decisions/037-a-job-takes-all-or-nothing.md)
 */
export class Admission {
  readonly #links: Links;
  readonly #cpu: HostCpu;
  readonly #beganAtNs = clockNs();
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Map<string, { readonly job: Job; readonly done: Promise<void> }>();
  readonly #listener: Listener;
  #limits: Limits;
  #draining = false;
  #isToLook = false;
  /** What was last told of links. */
  #told: string;

  constructor(
    limits: Limits,
    capacities: ReadonlyMap<string, BytesPerSecond>,
    cpu: HostCpu,
    listener: Listener,
  ) {
    this.#limits = limits;
    this.#listener = listener;
    this.#cpu = cpu;
    cpu.watch(() => this.#look());
    this.#links = new Links(capacities, this.#beganAtNs, () => this.#look());
    this.#told = JSON.stringify(this.links());
  }

  /** Whether a reload may change the links so. @throws UsageError a migration would lose its reservation */
  check(capacities: ReadonlyMap<string, BytesPerSecond>): void {
    this.#links.check(capacities);
  }

  /** After a reload. */
  change(limits: Limits, capacities: ReadonlyMap<string, BytesPerSecond>): void {
    this.#limits = limits;
    this.#links.change(capacities);
    this.#look();
  }

  /** @throws NotAdmitted it can never run, or too many wait already */
  add(job: Job): void {
    if (this.#draining) throw new NotAdmitted('draining', 'this daemon is about to end');
    const { id, priority, queueTimeoutMs, cpu } = job;
    const never = this.#neverGranted(job);
    if (never !== undefined) throw new NotAdmitted('link', never);
    if (!this.#cpu.fits([...cpu.takes, ...(cpu.beside ?? [])], []))
      throw new NotAdmitted('cpu', this.#cpu.whyNot(cpu.takes));
    const { waiting: most } = this.#limits;
    if (this.#waiting.size >= most) throw new NotAdmitted('queue', `${most} wait already`);
    const askedAtNs = this.#now();
    const ms = queueTimeoutMs;
    const deadlineNs = ms === undefined ? null : askedAtNs + ms * NANOS_PER_MILLISECOND;
    const timeout = ms === undefined ? undefined : setTimeout(() => this.#dropLate(id), ms);
    this.#waiting.set(id, { job, priority, askedAtNs, deadlineNs, timeout, lacks: 'its turn' });
    this.#look();
  }

  /** @returns whether it was waiting; what runs is for its owner to end */
  drop(id: string, why: string): boolean {
    const waiting = this.#waiting.get(id);
    if (!waiting) return false;
    this.#waiting.delete(id);
    clearTimeout(waiting.timeout);
    waiting.job.dropped(why);
    this.#look();
    return true;
  }

  /** Drops what waits and takes nothing more. @returns when nothing runs */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const id of [...this.#waiting.keys()]) this.drop(id, 'this daemon is about to end');
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** How it would go with a job that were asked for now, and what would be left beside it. */
  outlook(job: Pick<Job, 'kind' | 'cpu' | 'link'>) {
    const { cpu, kind } = job;
    const link = job.link && this.#linkBeside(job.link);
    const fitsAtAll = this.#cpu.fits([...cpu.takes, ...(cpu.beside ?? [])], []);
    const never = this.#neverGranted(job) ?? (fitsAtAll ? undefined : this.#cpu.whyNot(cpu.takes));
    const waitsFor = [
      ...(this.#runningOf(kind) < this.#most(kind) ? [] : ['its turn']),
      ...(this.#cpu.fits(cpu.takes) ? [] : ['CPU']),
      ...(link && link.left.leftBytesPerSecond < 0 ? [`link '${link.left.name}'`] : []),
    ];
    const why = never ?? (waitsFor.length > 0 ? `it would wait for ${waitsFor.join(' and ')}` : null);
    return {
      begins: never !== undefined ? 'never' : waitsFor.length > 0 ? 'later' : 'at once',
      why,
      linkBytesPerSecond: link?.takesBytesPerSecond ?? null,
      left: { cpu: this.#cpu.leftBeside(cpu.takes), link: link?.left ?? null },
    } as const;
  }

  #linkBeside({ name, request }: NonNullable<Job['link']>) {
    const store = this.#links.get(name);
    if (!store) return undefined;
    const { capacityBytesPerSecond } = store.ledger;
    const reservedBytesPerSecond = grantedBytesPerSecond(store.ledger);
    const takesBytesPerSecond = demandOf({ ...request, askedAtNs: 0, deadlineNs: null });
    const leftBytesPerSecond = capacityBytesPerSecond - reservedBytesPerSecond - takesBytesPerSecond;
    return {
      takesBytesPerSecond,
      left: { name, capacityBytesPerSecond, reservedBytesPerSecond, leftBytesPerSecond },
    };
  }

  queues(): readonly QueueView[] {
    const now = this.#now();
    return jobKinds.map((kind) => {
      const waiting = [...this.#waiting.values()].filter(({ job }) => job.kind === kind);
      return {
        kind,
        waiting: waiting.length,
        running: this.#runningOf(kind),
        oldestWaitNs: Math.max(0, ...waiting.map(({ askedAtNs }) => now - askedAtNs)),
      };
    });
  }

  links(): readonly LinkView[] {
    const jobs = [...this.#waiting.values()].map(({ job }) => job);
    return [...this.#links].map(([name, { ledger }]) => ({
      name,
      capacityBytesPerSecond: ledger.capacityBytesPerSecond,
      reservedBytesPerSecond: grantedBytesPerSecond(ledger),
      waiting: jobs.filter(({ link }) => link?.name === name).length,
    }));
  }

  /** Looks who can begin, once all that happens at this instant has happened. */
  #look(): void {
    if (this.#isToLook) return;
    this.#isToLook = true;
    queueMicrotask(() => {
      this.#isToLook = false;
      this.#beginWhoCan();
      const links = this.links();
      const told = JSON.stringify(links);
      if (told === this.#told) return;
      this.#told = told;
      this.#listener.linksChanged(links);
    });
  }

  /** Nobody overtakes somebody more urgent who waits for the same, CPU or link; so a large one comes to its turn. */
  #beginWhoCan(): void {
    const spokenFor = new Set<string>();
    for (const waiting of [...this.#waiting.values()].sort(byUrgency)) {
      const { job, deadlineNs } = waiting;
      const never = this.#neverGranted(job);
      if (never !== undefined) this.drop(job.id, `not admitted: ${never}`);
      else if (deadlineNs !== null && deadlineNs < this.#now()) this.#dropLate(job.id);
      else {
        const lacks = this.#lackedBy(waiting, spokenFor);
        if (lacks === undefined) void this.#begin(waiting);
        else waiting.lacks = lacks;
      }
    }
  }

  /** What it has to wait for; if it is nothing, it has its lease. */
  #lackedBy(waiting: Waiting, spokenFor: Set<string>): string | undefined {
    const { kind, cpu, link } = waiting.job;
    if (this.#runningOf(kind) >= this.#most(kind)) return 'its turn';
    if (cpu.takes.length > 0 && (spokenFor.has('CPU') || !this.#cpu.fits(cpu.takes))) {
      // A guest may stay for ever: whoever waits for a guest's part does not keep others from the rest.
      if (!spokenFor.has('CPU') && this.#cpu.fits(cpu.takes, ['guest'])) spokenFor.add('CPU');
      return 'CPU';
    }
    if (!link) return undefined;
    const name = `link '${link.name}'`;
    if (!spokenFor.has(name) && this.#isGranted(waiting)) return undefined;
    spokenFor.add(name);
    return name;
  }

  /** Asks the link last, since what it grants is not there to wait with: who is not granted leaves its queue again. */
  #isGranted({ job, deadlineNs, askedAtNs }: Waiting): boolean {
    const { name, request } = job.link!;
    const store = this.#links.get(name)!;
    store.apply((ledger, now) => {
      const asked = ask(ledger, { ...request, deadlineNs, askedAtNs }, now);
      return leaseOf(asked, job.id) ? asked : ledger;
    });
    return leaseOf(store.ledger, job.id) !== undefined;
  }

  async #begin({ job, askedAtNs, timeout }: Waiting): Promise<void> {
    const { id, kind } = job;
    this.#waiting.delete(id);
    clearTimeout(timeout);
    this.#listener.waited(kind, this.#now() - askedAtNs);
    const giveBackCpu = this.#cpu.take(kind, id, job.cpu.takes);
    // The one that has its lease, also if the configuration has another of that name by its end.
    const store = job.link && this.#links.get(job.link.name);
    const done = job.run(store);
    this.#running.set(id, { job, done });
    try {
      await done;
    } finally {
      this.#running.delete(id);
      giveBackCpu();
      store?.apply((ledger, now) => release(ledger, id, now));
      this.#look();
    }
  }

  #dropLate(id: string): void {
    const { job, lacks } = this.#waiting.get(id)!;
    const within = formatDuration(job.queueTimeoutMs! * NANOS_PER_MILLISECOND);
    this.drop(id, `not admitted: not begun within ${within}; it waited for ${lacks}`);
  }

  /** Why its link, as it is now, will never have room for it. */
  #neverGranted({ link }: Pick<Job, 'link'>): string | undefined {
    if (!link) return undefined;
    const store = this.#links.get(link.name);
    if (!store) return `link '${link.name}' is not in the configuration any more`;
    const why = impossible(store.ledger, { ...link.request, askedAtNs: 0, deadlineNs: null });
    return why && `link '${link.name}': ${why}`;
  }

  #runningOf(kind: JobKind): number {
    return [...this.#running.values()].filter(({ job }) => job.kind === kind).length;
  }

  #most(kind: JobKind): number {
    return kind === 'migration' ? this.#limits.runningMigrations : this.#limits.runningExperiments;
  }

  #now(): number {
    return clockNs() - this.#beganAtNs;
  }
}
