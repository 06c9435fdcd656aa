import type { Random } from '../../../src/core/random.ts';
import type { FrameType } from '../../../src/core/wire/frames.ts';
import { handover, next } from '../../../src/core/wire/handover.ts';
import { durable, isClosing, type JournalEntry } from '../../../src/core/wire/ownership.ts';
import { Broken, type Rules } from './rules.ts';
import { type Frame, PAGES, SimulatedProcess } from './simulated-process.ts';

/** A source that was not answered asks so often at most. */
const MOST_ASKS = 3;
const RETIRES = 0.02;
const LEAVES = 0.02;

/** Both ends as they should behave, the wire between them, and the guest. Who acts when is not decided here. */
export class SimulatedHandover {
  readonly source = new SimulatedProcess('source');
  readonly destination = new SimulatedProcess('destination');
  /** Nothing arrives, and nobody is told. */
  hole = false;
  broken = false;
  readonly #random: Random;
  readonly #rules: Rules;
  readonly #dirty = new Uint8Array(PAGES).fill(1);
  /** What the guest has last written to each page, wherever it ran. */
  readonly #truth = new Uint16Array(PAGES);
  #version = 0;
  #stopped = false;
  #roundEnded = false;
  #asksLeft: number;
  /** A question is on its way, over a new connection. */
  asked = false;
  /** The source has left the first connection; what it sent may still arrive there, and nothing comes back. */
  #abandoned = false;
  /** How the source learned what became of its commit. */
  toldBy = '';

  constructor(random: Random, rules: Rules) {
    this.#random = random;
    this.#rules = rules;
    this.#asksLeft = random.happens(0.5) ? MOST_ASKS : 0;
    this.source.runs = true;
  }

  // The source's program.

  sourceActs(): void {
    const source = this.source;
    const { todo, state } = source;
    if (state === 'new') {
      todo.push(...this.#write(source, 'begun'), ['send hello', () => this.#send(source, 'hello')]);
    } else if (state === 'live') {
      this.#sendNext();
    } else if (state === 'ready') {
      if (this.#random.happens(0.2)) {
        this.#send(source, 'verify');
        return;
      }
      todo.push(...this.#write(source, 'ready'), ...this.#write(source, 'commit'));
      todo.push(['give away', () => this.#commits(source)]);
      todo.push(['send commit', () => this.#send(source, 'commit')]);
    } else if (state === 'running') {
      if (source.last === 'commit') todo.push(...this.#write(source, 'running'));
      else if (this.#random.happens(RETIRES)) this.#send(source, 'retire');
      else if (this.#random.happens(LEAVES)) this.#leave(source);
    } else if (state === 'closed' && source.committed && source.last === 'commit' && this.#asksLeft > 0) {
      this.#ask();
    }
  }

  /** Over a new connection, whatever became of the old one. */
  #ask(): void {
    this.#asksLeft -= 1;
    this.#abandoned = true;
    this.broken = false;
    this.source.arriving = [];
    this.source.state = next('source', 'new', 'sends', 'ask');
    this.asked = true;
  }

  /** The guest stays at the destination. */
  #leave(source: SimulatedProcess): void {
    this.hangUp(source);
    source.todo.push(...this.#write(source, 'ended'));
  }

  /** A dirty page; in the end all of them, the guest stopped; then the digest. */
  #sendNext(): void {
    const source = this.source;
    const page = this.#dirty.indexOf(1);
    if (!this.#stopped && (page < 0 || this.#random.happens(0.1))) {
      this.#stopped = true;
      source.runs = false;
      source.todo.push(...this.#write(source, 'stopped'));
    } else if (page >= 0) {
      this.#dirty[page] = 0;
      this.#roundEnded = false;
      this.#send(source, 'page', page, source.memory[page]!);
    } else if (!this.#roundEnded) {
      this.#roundEnded = true;
      this.#send(source, 'round');
    } else {
      this.#send(source, 'stop');
    }
  }

  /** Before the commit the guest is the source's and runs on; after it the guest stays stopped. */
  sourceGivesUp(): void {
    const source = this.source;
    source.todo.length = 0;
    if (handover.source[source.state]['sends abort']) this.#send(source, 'abort');
    this.hangUp(source);
    if (source.committed && this.#rules.sourceKeepsStoppedAfterCommit) return;
    source.todo.push(['resume', () => this.run(source)], ...this.#write(source, 'aborted'));
  }

  // The destination's program.

  #destinationTakes({ type, page, version }: Frame): void {
    const destination = this.destination;
    const { todo } = destination;
    const answer = (type: FrameType) => todo.push([`send ${type}`, () => this.#send(destination, type)]);
    if (type === 'page') destination.memory[page] = version;
    else if (type === 'round' || type === 'verify') answer(type);
    else if (type === 'hello') {
      todo.push(...this.#write(destination, 'begun'));
      answer('hello');
    } else if (type === 'stop') {
      todo.push(...this.#write(destination, 'ready'));
      answer('ready');
      if (!this.#rules.destinationWaitsForCommit) todo.push(['run', () => this.run(destination)]);
    } else if (type === 'commit') {
      todo.push(...this.#write(destination, 'commit'));
      todo.push(['own', () => this.#commits(destination)]);
      todo.push(['run', () => this.run(destination)]);
      todo.push(...this.#write(destination, 'running'));
      answer('running');
    } else if (type === 'retire') {
      todo.push(['retire', () => this.#retire(destination)], ...this.#write(destination, 'ended'));
      answer('retire');
    } else this.#closes(destination);
  }

  /** From here on the process never goes back: the source does not resume, the destination does not discard. */
  #commits(process: SimulatedProcess): void {
    process.committed = true;
  }

  #retire(destination: SimulatedProcess): void {
    destination.runs = false;
    destination.retired = true;
  }

  /** After what it is still answering: a destination that has not the commit discards the guest. */
  #closes(destination: SimulatedProcess): void {
    this.hangUp(destination);
    destination.todo.push([
      'discard or keep',
      () => {
        if (destination.last === 'running') destination.todo.unshift(...this.#write(destination, 'ended'));
        if (destination.committed || destination.last === 'aborted') return;
        if (this.#rules.destinationWaitsForCommit) destination.runs = false;
        if (destination.journal.length > 0) destination.todo.unshift(...this.#write(destination, 'aborted'));
      },
    ]);
  }

  /** The old connection first: no commit may come after the answer. */
  deliverQuestion(): void {
    const { destination } = this;
    this.asked = false;
    next('destination', 'new', 'receives', 'ask');
    if (this.#rules.destinationHangsUpBeforeItAnswers) {
      if (destination.state !== 'closed') this.#closes(destination);
      const left = this.#asksLeft;
      destination.todo.push(['answer', () => left === this.#asksLeft && this.#answerQuestion()]);
    } else if (!destination.committed) this.source.arriving.push({ type: 'returned', page: 0, version: 0 });
  }

  #answerQuestion(): void {
    const { destination } = this;
    const { last, committed, retired } = destination;
    this.#abandoned = false;
    destination.arriving = [];
    destination.state = 'asking';
    if (committed && !retired && (last === 'running' || last === 'ended')) this.#send(destination, 'running');
    else if (last === 'aborted') this.#send(destination, 'returned');
    else this.#send(destination, 'abort');
  }

  #destinationGivesUp(): void {
    const destination = this.destination;
    if (handover.destination[destination.state]['sends abort']) this.#send(destination, 'abort');
    this.#closes(destination);
  }

  // Journals.

  #write(process: SimulatedProcess, entry: JournalEntry): [string, () => void][] {
    const skipped =
      entry === 'commit' &&
      !(process.end === 'source' ? this.#rules.sourceSyncsCommit : this.#rules.destinationSyncsCommit);
    const append: [string, () => void] = [`write ${entry}`, () => this.#append(process, entry)];
    if (skipped || !durable[process.end].has(entry)) return [append];
    return [append, [`sync ${entry}`, () => this.#sync(process, entry)]];
  }

  /** Nothing is said of a migration that has not begun, nor after the last word. */
  #append({ journal, last }: SimulatedProcess, entry: JournalEntry): void {
    if (last === undefined ? entry === 'begun' : !isClosing(last)) journal.push(entry);
  }

  /** The disk may refuse once: what was written is taken back, and the end gives up what it was about to do. */
  #sync(process: SimulatedProcess, entry: JournalEntry): void {
    if (!process.diskFails || entry === 'aborted') {
      process.synced = process.journal.length;
      return;
    }
    process.diskFails = false;
    process.journal.pop();
    process.todo.length = 0;
    if (process.end === 'source') this.sourceGivesUp();
    else this.#destinationGivesUp();
  }

  // The wire.

  #send(process: SimulatedProcess, type: FrameType, page = 0, version = 0): void {
    if (process.state === 'closed') return;
    process.state = next(process.end, process.state, 'sends', type);
    if (!this.#isLost(process)) this.#other(process).arriving.push({ type, page, version });
  }

  hangUp(process: SimulatedProcess): void {
    if (process.state === 'closed' && process.lives) return;
    process.state = 'closed';
    if (!this.#isLost(process)) this.#other(process).arriving.push({ type: 'hang up', page: 0, version: 0 });
  }

  /** Whether what it sends reaches nobody. */
  #isLost(process: SimulatedProcess): boolean {
    return this.broken || (this.#abandoned && process === this.destination);
  }

  deliver(process: SimulatedProcess): void {
    const frame = process.arriving.shift()!;
    if (process.state === 'closed') return;
    if (frame.type === 'hang up') {
      this.notice(process);
      return;
    }
    if (process.state === 'asking') this.toldBy = ', as it was told';
    process.state = next(process.end, process.state, 'receives', frame.type);
    if (process.end === 'destination') this.#destinationTakes(frame);
    else if (frame.type === 'abort') this.sourceGivesUp();
    else if (frame.type === 'returned') this.#takesBack(process);
    else if (frame.type === 'retire') process.todo.push(...this.#write(process, 'ended'));
  }

  #takesBack(source: SimulatedProcess): void {
    source.committed = false;
    source.todo.push(['resume', () => this.run(source)], ...this.#write(source, 'aborted'));
  }

  /** The connection is gone, and this end has found out. */
  notice(process: SimulatedProcess): void {
    if (process.end === 'destination') this.#closes(process);
    else if (process.last !== 'running') this.sourceGivesUp();
    else process.state = 'closed';
  }

  canNotice(process: SimulatedProcess): boolean {
    return this.#isLost(process) && process.state !== 'closed' && process.state !== 'new';
  }

  break(): void {
    this.broken = true;
    this.hole = false;
    this.asked = false;
    this.source.arriving = [];
    this.destination.arriving = [];
  }

  // The guest.

  guestWrites(process: SimulatedProcess): void {
    const page = this.#random.below(PAGES);
    process.memory[page] = this.#truth[page] = ++this.#version;
    this.#dirty[page] = 1;
  }

  run(process: SimulatedProcess): void {
    if (process.runs) return;
    process.runs = true;
    this.check();
    if (process.memory.some((version, page) => version !== this.#truth[page])) {
      throw new Broken(`the guest starts at the ${process.end} with memory that is not its own`);
    }
  }

  check(): void {
    if (this.source.runs && this.destination.runs) throw new Broken('the guest runs at both ends');
  }

  #other(process: SimulatedProcess): SimulatedProcess {
    return process === this.source ? this.destination : this.source;
  }
}
