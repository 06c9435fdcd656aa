import { Random } from '../../../src/core/random.ts';
import { WireError } from '../../../src/core/wire/frames.ts';
import { type End, handover } from '../../../src/core/wire/handover.ts';
import { closings, ownership, type Trail, type Trails } from '../../../src/core/wire/ownership.ts';
import { Broken, type Rules, soundRules } from './rules.ts';
import { SimulatedHandover } from './simulated-handover.ts';
import type { SimulatedProcess } from './simulated-process.ts';

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
const faults = ['kill', 'power cut', 'break', 'hole', 'silence', 'cancel', 'disk', 'recover'] as const;

class Simulation {
  readonly #random: Random;
  readonly #rules: Rules;
  readonly #steps: string[] | undefined;
  readonly #ends: SimulatedHandover;
  readonly #faultiness: number;
  /** Nothing goes wrong for so long, so that every part of the hand-over has its share. */
  readonly #calmSteps: number;
  #crashed = false;
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

  /** `switchover recover` with one of these sets of journals; it too may end half-way. */
  #recover(sets: readonly (readonly End[])[]): void {
    const given = sets[this.#random.below(sets.length)]!;
    const trails: Trails = {
      source: given.includes('source') ? this.#trail(this.#ends.source) : undefined,
      destination: given.includes('destination') ? this.#trail(this.#ends.destination) : undefined,
    };
    const entries = closings(trails);
    this.#note(`recover with ${given.join(' and ')}: ${ownership(trails).owner}`);
    for (const [index, { end, entry }] of entries.entries()) {
      if (index > 0 && this.#random.happens(0.2)) return;
      const process = end === 'source' ? this.#ends.source : this.#ends.destination;
      process.journal.push(entry);
      process.synced = process.journal.length;
      this.#note(`${end}: recover writes ${entry}`);
      if (end === ownership(trails).owner) {
        this.#settledBy = ', by recover';
        if (!process.retired) this.#ends.run(process);
      }
    }
  }

  #trail({ last, lives }: SimulatedProcess): Trail | undefined {
    return last && { last, lives: lives && this.#rules.recoverAsksWhoLives };
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
    return `source ${source}, destination ${destination}: ${runner}${this.#ends.toldBy}${this.#settledBy}`;
  }

  #settledAtRest(): boolean {
    return this.#ends.source.state === 'closed' || this.#ends.source.state === 'running';
  }

  /** Both processes end, and `recover` has both journals: one owner, who has all the memory. */
  #settle(): void {
    this.#crash(this.#ends.source, this.#random.happens(0.5));
    this.#crash(this.#ends.destination, this.#random.happens(0.5));
    for (let turn = 0; turn < 10; turn++) this.#recover([['source', 'destination']]);
    this.#ends.check();
    const trails = {
      source: this.#trail(this.#ends.source),
      destination: this.#trail(this.#ends.destination),
    };
    if (closings(trails).length > 0) throw new Broken('recover leaves something to do');
    if (!trails.source) {
      if (trails.destination) throw new Broken('the destination knows of a migration that the source lost');
      return;
    }
    const { owner } = ownership(trails);
    if (owner === 'nobody yet known') throw new Broken('both journals do not tell whose the guest is');
    this.#ends.run(owner === 'source' ? this.#ends.source : this.#ends.destination);
    this.#ends.check();
  }

  #note(step: string): void {
    this.#steps?.push(step);
  }
}
