import { Random } from '../../../src/core/random.ts';
import { WireError } from '../../../src/core/wire/frames.ts';
import { type End, handover } from '../../../src/core/wire/handover.ts';
import { misplacedEntry } from '../../../src/core/wire/journal-order.ts';
import {
  closings,
  type JournalEntry,
  ownership,
  type Trail,
  type Trails,
} from '../../../src/core/wire/ownership.ts';
import { Broken, type Rules, soundRules } from './rules.ts';
import { damaged, lastRead } from './simulated-disk.ts';
import { SimulatedHandover } from './simulated-handover.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import { sightOf } from './simulated-sight.ts';

export interface Simulated {
  /** What must never be; undefined: all went well. */
  readonly violation: string | undefined;
  /** How it went, for counting. */
  readonly kind: string;
  /** Every step, if asked for. */
  readonly steps: readonly string[];
}

/** One random schedule of one hand-over. The same seed gives the same schedule. */
export function simulate(seed: number, rules: Rules = soundRules, traced = false): Simulated {
  return new Simulation(seed, rules, traced).carryOut();
}

const FAULTY_STEPS = 90;
const faults = [
  'kill',
  'power cut',
  'break',
  'hole',
  'silence',
  'cancel',
  'disk',
  'damage',
  'recover',
] as const;
/** What a kind says of journals that the disk has not kept as they were. */
export const DAMAGED = ', a journal damaged';
/** While somebody recovers, so much may happen between two looks. */
const MOST_BETWEEN = 12;

class Simulation {
  readonly #random: Random;
  readonly #rules: Rules;
  readonly #steps: string[] | undefined;
  readonly #ends: SimulatedHandover;
  readonly #faultiness: number;
  /** Nothing goes wrong for so long, so that every part of the hand-over has its share. */
  readonly #calmSteps: number;
  #crashed = false;
  #recovers = false;
  #settledBy = '';
  #kind = '';

  constructor(seed: number, rules: Rules, traced: boolean) {
    this.#random = Random.seeded(seed, 0);
    this.#rules = rules;
    this.#steps = traced ? [] : undefined;
    this.#faultiness = [0, 0.05, 0.15, 0.4][this.#random.below(4)]!;
    this.#calmSteps = this.#random.below(FAULTY_STEPS);
    this.#ends = new SimulatedHandover(this.#random, rules);
  }

  carryOut(): Simulated {
    let violation: string | undefined;
    try {
      for (let step = 0; step < FAULTY_STEPS; step++) {
        const faulty = step >= this.#calmSteps && this.#random.happens(this.#faultiness);
        if (faulty) this.#fault(faults[this.#random.below(faults.length)]!);
        else this.#progress();
        this.#ends.check();
      }
      this.#comeToRest();
      this.#kind = this.#situation();
      this.#settle();
    } catch (cause) {
      if (!(cause instanceof Broken || cause instanceof WireError)) throw cause;
      violation = cause.message;
    }
    return { violation, kind: this.#kind, steps: this.#steps ?? [] };
  }

  // What may happen.

  #progress(): void {
    const choices: (() => void)[] = [];
    if (this.#ends.asked && this.#ends.destination.lives && !this.#ends.hole) {
      choices.push(() => this.#ends.deliverQuestion());
    }
    for (const process of [this.#ends.source, this.#ends.destination]) {
      if (process.runs) choices.push(() => this.#ends.guestWrites(process));
      if (!process.lives) continue;
      if (process.arriving.length > 0 && !this.#ends.hole) choices.push(() => this.#ends.deliver(process));
      if (process.todo.length > 0) choices.push(() => this.#doNext(process));
      else if (this.#ends.canNotice(process)) choices.push(() => this.#ends.notice(process));
      else if (process.end === 'source') choices.push(() => this.#ends.sourceActs());
    }
    if (choices.length > 0) choices[this.#random.below(choices.length)]!();
  }

  #doNext(process: SimulatedProcess): void {
    const [what, action] = process.todo.shift()!;
    this.#note(`${process.end}: ${what}`);
    action();
  }

  #fault(kind: (typeof faults)[number]): void {
    const process = this.#random.happens(0.5) ? this.#ends.source : this.#ends.destination;
    if (kind !== 'recover') this.#note(`fault: ${kind}, ${process.end}`);
    if (kind === 'kill' || kind === 'power cut') this.#crash(process, kind === 'power cut');
    else if (kind === 'break') this.#ends.break();
    else if (kind === 'hole') this.#ends.hole = !this.#ends.hole;
    else if (kind === 'disk') process.diskFails = true;
    else if (kind === 'damage') this.#damage(process);
    else if (kind === 'recover') this.#recover([['source'], ['destination'], ['source', 'destination']]);
    else this.#giveUpIf(kind);
  }

  /** The watchdog, where the source waits for an answer; or somebody cancels, where that is allowed. */
  #giveUpIf(kind: 'silence' | 'cancel'): void {
    const { state, lives, todo } = this.#ends.source;
    const waits = ['greeting', 'ending round', 'comparing', 'verifying', 'committed', 'asking'].includes(
      state,
    );
    const cancels = handover.source[state]['sends abort'] !== undefined;
    if (lives && todo.length === 0 && (kind === 'silence' ? waits : cancels)) this.#ends.sourceGivesUp();
  }

  /** A killed process leaves what it wrote and sent. A power cut takes what was not synced, and says nothing. */
  #crash(process: SimulatedProcess, powerCut: boolean): void {
    if (!process.lives) return;
    this.#crashed = true;
    process.lives = false;
    process.runs = false;
    process.todo.length = 0;
    if (powerCut) {
      const kept = process.synced + this.#random.below(process.journal.length - process.synced + 1);
      process.journal.length = kept;
      this.#ends.broken = true;
      process.arriving = [];
    } else this.#ends.hangUp(process);
    process.synced = process.journal.length;
  }

  #damage(process: SimulatedProcess): void {
    const { journal, synced } = process;
    if (synced > 0 && synced === journal.length) process.damage ??= damaged(process, this.#random);
  }

  /** `switchover recover` with one of these sets of journals; it too may end half-way. */
  #recover(sets: readonly (readonly End[])[]): void {
    if (this.#recovers) return;
    this.#recovers = true;
    const given = sets[this.#random.below(sets.length)]!;
    const { source, destination } = this.#ends;
    const processes = [source, destination].filter(({ end }) => given.includes(end));
    const trails = this.#look(processes);
    this.#write(trails, `recover with ${given.join(' and ')}`);
    this.#recovers = false;
  }

  /** First who lives, then the journals; and much may happen in between. */
  #look(processes: readonly SimulatedProcess[]): Trails {
    const ask = () => processes.map(({ lives }) => sightOf(lives, this.#random, this.#rules));
    const read = () => processes.map((process) => this.#read(process));
    const isAskedFirst = this.#rules.lifeIsAskedBeforeReading;
    const [sightsAtFirst, journalsAtFirst] = [ask(), read()];
    for (let left = this.#random.below(MOST_BETWEEN); left > 0; left--) this.#meanwhile();
    const sights = isAskedFirst ? sightsAtFirst : ask();
    const journals = isAskedFirst ? read() : journalsAtFirst;
    const trails = processes.map(({ end }, index): [End, Trail | undefined] => {
      const { life, place } = sights[index]!;
      const { last, earlier } = journals[index]!;
      const found = place === 'a copy of the folder' ? earlier : last;
      return [end, found && { last: found, life }];
    });
    return { source: undefined, destination: undefined, ...Object.fromEntries(trails) };
  }

  /** Its last entry as it is read, and one that was its last when somebody made a copy. */
  #read(process: SimulatedProcess): Record<'last' | 'earlier', JournalEntry | undefined> {
    const { journal, damage } = process;
    const last = lastRead(process, this.#rules.journalsAreCheckedWhole);
    if (this.#rules.journalsAreCheckedWhole && last !== undefined && last !== process.last)
      throw new Broken('a damaged journal passes for another');
    if (!damage && misplacedEntry(process.end, journal) !== undefined)
      throw new Broken('a journal out of order');
    const earlier = damage || journal.length === 0 ? last : journal[this.#random.below(journal.length)];
    return { last, earlier };
  }

  #meanwhile(): void {
    if (this.#random.happens(0.8)) this.#progress();
    else this.#fault(faults[this.#random.below(faults.length)]!);
  }

  #write(trails: Trails, who: string): void {
    const entries = closings(trails);
    const { owner } = ownership(trails);
    this.#note(`${who}: ${owner}`);
    for (const [index, { end, entry }] of entries.entries()) {
      if (index > 0 && this.#random.happens(0.2)) return;
      const process = this.#ends[end];
      process.journal.push(entry);
      process.synced = process.journal.length;
      this.#note(`${end}: recover writes ${entry}`);
      if (end === owner) {
        this.#settledBy = ', by recover';
        if (!process.retired) this.#ends.run(process);
      }
    }
  }

  /** No more faults: what is on its way arrives, and what hangs is given up. */
  #comeToRest(): void {
    for (let step = 0; step < 230; step++) {
      if (step === 100) this.#ends.hole = false;
      if (step === 150 && !this.#settledAtRest()) this.#ends.break();
      this.#progress();
      this.#ends.check();
    }
    const runs = this.#ends.source.runs || this.#ends.destination.runs;
    if (runs || this.#crashed || this.#ends.destination.retired) return;
    const given = this.#ends.destination.last === 'commit' || this.#ends.destination.last === 'running';
    if (!this.#ends.source.committed || given) throw new Broken('nobody runs the guest, without need');
  }

  /** Both last entries and who runs the guest, before anybody is ended for good. */
  #situation(): string {
    const running = [this.#ends.source, this.#ends.destination].find(({ runs }) => runs);
    const runner = running ? `the ${running.end} runs it` : 'nobody runs it';
    const [source, destination] = [this.#ends.source, this.#ends.destination].map(
      ({ last }) => last ?? 'nothing',
    );
    const isDamaged = this.#ends.source.damage ?? this.#ends.destination.damage;
    const how = `${this.#ends.toldBy}${this.#settledBy}${isDamaged ? DAMAGED : ''}`;
    return `source ${source}, destination ${destination}: ${runner}${how}`;
  }

  #settledAtRest(): boolean {
    return this.#ends.source.state === 'closed' || this.#ends.source.state === 'running';
  }

  /** Both processes end, and `recover` has both journals: one owner, who has all the memory. */
  #settle(): void {
    this.#crash(this.#ends.source, this.#random.happens(0.5));
    this.#crash(this.#ends.destination, this.#random.happens(0.5));
    const [source, destination] = [this.#ends.source, this.#ends.destination];
    const trails = () => ({ source: this.#ended(source), destination: this.#ended(destination) });
    for (let turn = 0; turn < 10; turn++) this.#write(trails(), 'recover with both');
    this.#ends.check();
    if (closings(trails()).length > 0) throw new Broken('recover leaves something to do');
    if (source.journal.length === 0) {
      if (destination.journal.length > 0)
        throw new Broken('the destination knows of a migration that the source lost');
      return;
    }
    // Where a journal is damaged, the table may leave it at nobody; who it names has all the memory.
    const { owner } = ownership(trails());
    const isWhole = !source.damage && !destination.damage;
    if (owner !== 'nobody yet known') this.#ends.run(this.#ends[owner]);
    else if (isWhole) throw new Broken('both journals do not tell whose the guest is');
    this.#ends.check();
  }

  /** A process that has certainly ended. */
  #ended(process: SimulatedProcess): Trail | undefined {
    const { last } = this.#read(process);
    return last && { last, life: 'has ended' };
  }

  #note(step: string): void {
    this.#steps?.push(step);
  }
}
