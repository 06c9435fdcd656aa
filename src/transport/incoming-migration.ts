import type { Socket } from 'node:net';
import { type FrameHeader, WIRE_VERSION, WireError } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import { reasonOf } from '../platform/failure.ts';
import { type Arrival, arrivalEnd, type ConnectionEnd } from './arrival.ts';
import { ArrivingHello } from './arriving-hello.ts';
import { Connection } from './connection.ts';
import { checkVersion, encodeHello, type Hello } from './hello.ts';
import type { HostedGuest } from './hosted-guest.ts';
import type { IncomingMigrations, IncomingOutcome } from './incoming-migrations.ts';
import { closingWord, Journal } from './journal.ts';
import type { Limits } from './limits.ts';
import { decodeStop, encodeTakenOver, encodeWorked, type TakenOver } from './payloads.ts';
import {
  type Challenges,
  checkAnnounced,
  checkChallenge,
  destinationChallenge,
  isProofOf,
  proofOf,
} from './proof.ts';
import { ReceivedPages } from './received-pages.ts';
import { ReceivedState } from './received-state.ts';
import { insistSame, StreamDigest } from './stream-digest.ts';

/** Makes room for a guest. @throws Failure it is refused, and why. */
export type Prepare = (hello: Hello) => Promise<HostedGuest>;

export interface IncomingMigrationOptions {
  readonly prepare: Prepare;
  /** The key that the source must prove to have; null: none is required. */
  readonly key: Uint8Array | null;
  readonly limits: Limits;
  /** Called when the other end has been authenticated. */
  readonly authenticated: () => void;
  /** The folder where a journal is kept; without it, none is. */
  readonly journals: string | undefined;
  /** What came here before, and this one from its hello on. */
  readonly migrations: IncomingMigrations;
  /** Called when there is room for its guest, and pages will come. */
  readonly began?: ((arrival: Arrival) => void) | undefined;
}

/**
 * Takes in one migration over one connection. The guest runs only after `commit`; before it, whatever goes wrong
 * ends with the guest discarded here, because it is still the source's.
 * @returns how it ended, when the connection is gone
 */
export function receive(socket: Socket, options: IncomingMigrationOptions): Promise<ConnectionEnd> {
  return new Promise((resolve) => new Receiver(socket, options, resolve));
}

class Receiver {
  readonly #connection: Connection;
  readonly #options: IncomingMigrationOptions;
  readonly #peer: string;
  readonly #authenticationTimeout: NodeJS.Timeout;
  readonly #outcomeKnown: Promise<IncomingOutcome | undefined>;
  #conclude: (outcome: IncomingOutcome | undefined) => void = () => {};
  #migration = '';
  #journal: Journal | undefined;
  #challenges: Challenges = { source: new Uint8Array(0), destination: destinationChallenge() };
  #name = 'a connection';
  #arrival: Arrival | undefined;
  readonly #hello = new ArrivingHello();
  #guest: HostedGuest | undefined;
  #digest: StreamDigest | undefined;
  #askedAtNs = 0;
  #guestTimeNs = 0;
  #paused = false;
  readonly #state = new ReceivedState();
  #committed = false;
  /** When the last answer before the commit was given. */
  #answeredAtNs = 0;
  #takenOver: TakenOver | undefined;
  #retired = false;
  #hasLeft = false;
  #gaveUp: string | undefined;
  /** Control frames are answered one after the other. */
  #answering: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: IncomingMigrationOptions, ended: (how: ConnectionEnd) => void) {
    this.#options = options;
    this.#outcomeKnown = new Promise((resolve) => {
      this.#conclude = resolve;
    });
    this.#peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const { unauthenticatedMs } = options.limits;
    this.#authenticationTimeout = setTimeout(
      () => this.#giveUp(`unauthenticated for ${unauthenticatedMs / 1000} s`),
      unauthenticatedMs,
    );
    this.#connection = new Connection(
      socket,
      'destination',
      options.key !== null,
      (header, payload) => this.#take(header, payload),
      (why) => void this.#answering.then(() => this.#end(why)).then(ended),
    );
    this.#connection.sayAliveEvery(options.limits.aliveMs);
    this.#connection.expected = (header) => this.#hello.expect(header);
  }

  #take(header: FrameHeader, payload: Buffer): void {
    if (header.type === 'abort') {
      this.#gaveUp = payload.toString('utf8');
      this.#connection.finish();
    } else {
      const copy = Buffer.from(payload);
      if (header.type === 'state') this.#digest!.add(copy);
      if (header.type === 'round') insistSame(copy, this.#digest!.take());
      if (header.type === 'hello' || header.type === 'ask') this.#becomesKnown();
      if (header.type === 'hello' || header.type === 'stop') this.#askedAtNs = clockNs();
      this.#answering = this.#answering
        .then(() => this.#answer(header, copy))
        .catch((cause) => this.#giveUp(reasonOf(cause)));
    }
  }

  #giveUp(why: string): void {
    this.#gaveUp ??= why;
    this.#connection.close(why);
  }

  #becomesKnown(): void {
    clearTimeout(this.#authenticationTimeout);
    this.#connection.longestSilenceMs = this.#options.limits.silenceMs;
    this.#options.authenticated();
  }

  async #answer({ type, argument }: FrameHeader, payload: Buffer): Promise<void> {
    const connection = this.#connection;
    switch (type) {
      case 'challenge':
        checkChallenge('source', argument, payload);
        this.#challenges = { ...this.#challenges, source: payload };
        return connection.send('challenge', WIRE_VERSION, this.#challenges.destination);
      case 'proof':
        return this.#prove(this.#options.key!, payload);
      case 'hello':
        if (this.#options.key) checkAnnounced(this.#challenges.source, payload);
        await this.#greet(await this.#hello.read(payload, () => connection.state !== 'closed'));
        if (connection.state !== 'closed')
          connection.send(
            'hello',
            0,
            encodeHello({ version: WIRE_VERSION, workedNs: clockNs() - this.#askedAtNs }),
          );
        return;
      case 'ask':
        if (this.#options.key) checkAnnounced(this.#challenges.source, payload);
        return this.#tell(argument, payload.toString('utf8'));
      case 'round':
        return connection.send('round', argument);
      case 'state':
        if (!this.#guest!.load) throw new WireError("a 'state' frame for a guest without state");
        return this.#state.add(argument, payload);
      case 'stop':
        return this.#compare(argument, payload);
      case 'verify':
        connection.send('verify', 0, Buffer.from(await this.#guest!.hash()));
        this.#answeredAtNs = clockNs();
        return;
      case 'commit':
        return this.#takeOver();
      case 'retire': {
        const end = await this.#guest!.retire();
        this.#retired = true;
        this.#options.migrations.forget(this.#migration);
        this.#journal?.write('ended');
        connection.send('retire', 0, Buffer.from(JSON.stringify(end)));
        return connection.finish();
      }
    }
  }

  async #takeOver(): Promise<void> {
    this.#journal?.write('commit');
    this.#committed = true;
    const committedAtNs = clockNs();
    await this.#guest!.takeOver(this.#guestTimeNs, this.#paused);
    const now = clockNs();
    this.#takenOver = { resumeNs: now - committedAtNs, sinceAnswerNs: now - this.#answeredAtNs };
    void this.#guest!.gone.then(() => {
      this.#hasLeft = true;
      this.#options.migrations.forget(this.#migration);
    });
    this.#journal?.write('running');
    this.#connection.send('running', 0, encodeTakenOver(this.#takenOver));
  }

  #prove(key: Uint8Array, claimed: Buffer): void {
    if (!isProofOf('source', key, this.#challenges, claimed)) {
      throw new WireError('wrong key: source and destination have different keys');
    }
    this.#becomesKnown();
    this.#connection.send('proof', 0, proofOf('destination', key, this.#challenges));
  }

  async #greet(hello: Hello): Promise<void> {
    const { pages, pageSizeBytes, name } = hello.guest;
    this.#guest = await this.#options.prepare(hello);
    this.#name = `guest '${name}'`;
    const { journals, migrations } = this.#options;
    if (journals !== undefined) {
      this.#journal = await Journal.atDestination(journals, {
        migration: hello.migration,
        guest: name,
        pages,
        pageSizeBytes,
        peer: this.#peer,
      });
    }
    this.#migration = hello.migration;
    migrations.begins(hello.migration, () => {
      this.#giveUp('the source asks over another connection');
      return this.#outcomeKnown;
    });
    const memory = new ReceivedPages(this.#guest.memory);
    const digest = new StreamDigest(hello.migration, this.#options.key);
    this.#connection.pageBytesPerFrame = memory.bytesPerFrame;
    this.#connection.pages = {
      store: (header, buffer, start, end) => memory.store(header, buffer, start, end),
      stored: (frames) => digest.add(frames),
    };
    this.#digest = digest;
    this.#arrival = { migration: hello.migration, guest: name, peer: this.#peer };
    this.#options.began?.(this.#arrival);
  }

  async #compare(paused: number, payload: Buffer): Promise<void> {
    const { guestTimeNs, digest } = decodeStop(payload);
    if (paused > 1) throw new WireError(`a 'stop' frame with paused = ${paused}; expected 0 or 1`);
    this.#paused = paused === 1;
    this.#guestTimeNs = guestTimeNs;
    insistSame(digest, this.#digest!.end(guestTimeNs, this.#paused));
    await this.#guest!.load?.(this.#state.whole());
    this.#journal?.write('ready');
    this.#answeredAtNs = clockNs();
    this.#connection.send('ready', 0, encodeWorked(this.#answeredAtNs - this.#askedAtNs));
  }

  /** A source whose commit was not answered learns what came of it; where the guest is here, it goes on with it. */
  async #tell(version: number, migration: string): Promise<void> {
    checkVersion({ version });
    const outcome = await this.#options.migrations.conclude(migration);
    if (outcome.kind === 'returned') {
      this.#connection.send('returned', 0, Buffer.from(outcome.why.slice(0, 1000)));
      return this.#connection.finish();
    }
    this.#migration = migration;
    this.#name = outcome.name;
    this.#guest = outcome.guest;
    this.#committed = true;
    this.#takenOver = outcome.takenOver;
    this.#connection.send('running', 0, encodeTakenOver(outcome.takenOver));
  }

  async #end(why: Error | undefined): Promise<ConnectionEnd> {
    this.#hello.release();
    clearTimeout(this.#authenticationTimeout);
    const { line, outcome } = await this.#outcome(why);
    this.#journal?.letGo();
    const { migrations } = this.#options;
    if (outcome) migrations.ended(this.#migration, outcome);
    else migrations.forget(this.#migration);
    this.#conclude(outcome);
    const { resumeNs } = this.#takenOver ?? {};
    return { line, arrival: arrivalEnd(this.#arrival, this.#committed, resumeNs) };
  }

  /** How it ended, as a line and for a source that does not know. */
  async #outcome(why: Error | undefined): Promise<{ line: string; outcome?: IncomingOutcome }> {
    if (this.#retired) {
      await this.#guest?.discard();
      return { line: `${this.#name} arrived, ran and was retired` };
    }
    const reason = this.#gaveUp ?? (why ? reasonOf(why) : 'the connection ended');
    if (this.#committed) {
      const line = this.#keeps(why || this.#gaveUp ? `; the source has disconnected (${reason})` : '');
      if (!this.#takenOver) return { line };
      const kept = { name: this.#name, guest: this.#guest!, takenOver: this.#takenOver };
      return { line, outcome: { kind: 'kept', ...kept } };
    }
    await this.#guest?.discard();
    const trouble = closingWord(this.#journal, 'aborted', reason);
    const line = `${this.#name} did not arrive: ${reason}${trouble}`;
    return trouble ? { line } : { line, outcome: { kind: 'returned', why: reason } };
  }

  /** Of a guest that could not be run the journal stays open: it is this end's all the same. */
  #keeps(remark: string): string {
    const closed = this.#takenOver ? closingWord(this.#journal, 'ended') : '';
    this.#journal?.close();
    const here = this.#paused ? 'is here, paused' : 'runs here';
    const how = !this.#takenOver ? 'could not be run' : this.#hasLeft ? 'ran here and has left' : here;
    return `${this.#name} ${how}${remark}${closed}`;
  }
}
