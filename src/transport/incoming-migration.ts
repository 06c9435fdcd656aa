import type { Socket } from 'node:net';
import { type FrameHeader, isOfPage, WIRE_VERSION, WireError } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import { reasonOf } from '../platform/failure.ts';
import { type Arrival, arrivalEnd, type ConnectionEnd } from './arrival.ts';
import { Connection } from './connection.ts';
import { checkVersion, encodeHello, type Hello } from './hello.ts';
import { decodeHello } from './hello-schema.ts';
import type { HostedGuest } from './hosted-guest.ts';
import type { IncomingMigrations, IncomingOutcome } from './incoming-migrations.ts';
import { Journal } from './journal.ts';
import type { Limits } from './limits.ts';
import { decodeStop, encodeNanos } from './payloads.ts';
import {
  type Challenges,
  checkAnnounced,
  checkChallenge,
  destinationChallenge,
  isProofOf,
  proofOf,
} from './proof.ts';
import { ReceivedPages } from './received-pages.ts';

/** The most device state of a guest; a virtual machine has far less. */
const MOST_STATE_BYTES = 16 * 1024 * 1024;

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
  /** Once the connection has ended. */
  readonly #outcomeKnown: Promise<IncomingOutcome | undefined>;
  #conclude: (outcome: IncomingOutcome | undefined) => void = () => {};
  #migration = '';
  #journal: Journal | undefined;
  #challenges: Challenges = { source: new Uint8Array(0), destination: destinationChallenge() };
  #name = 'a connection';
  #arrival: Arrival | undefined;
  #guest: HostedGuest | undefined;
  #pages: ReceivedPages | undefined;
  #guestTimeNs = 0;
  #paused = false;
  readonly #state: Buffer[] = [];
  #stateBytes = 0;
  #committed = false;
  #tookOver = false;
  #resumeNs = 0;
  #retired = false;
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
  }

  #take(header: FrameHeader, payload: Buffer): void {
    if (isOfPage(header.type)) {
      this.#pages!.store(header, payload);
    } else if (header.type === 'abort') {
      this.#gaveUp = payload.toString('utf8');
      this.#connection.finish();
    } else {
      const copy = Buffer.from(payload);
      if (header.type === 'hello' || header.type === 'ask') this.#becomesKnown();
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
        await this.#greet(decodeHello(payload));
        if (connection.state !== 'closed')
          connection.send('hello', 0, encodeHello({ version: WIRE_VERSION }));
        return;
      case 'ask':
        if (this.#options.key) checkAnnounced(this.#challenges.source, payload);
        return this.#tell(argument, payload.toString('utf8'));
      case 'round':
        return connection.send('round', argument);
      case 'state':
        return this.#keepState(argument, payload);
      case 'stop':
        return this.#compare(argument, payload);
      case 'verify':
        return connection.send('verify', 0, Buffer.from(await this.#guest!.hash()));
      case 'commit': {
        this.#journal?.write('commit');
        this.#committed = true;
        const committedAtNs = clockNs();
        await this.#guest!.takeOver(this.#guestTimeNs, this.#paused);
        this.#tookOver = true;
        void this.#guest!.gone.then(() => this.#options.migrations.forget(this.#migration));
        this.#resumeNs = clockNs() - committedAtNs;
        this.#journal?.write('running');
        return connection.send('running', 0, encodeNanos(this.#resumeNs));
      }
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
      this.#journal = Journal.atDestination(journals, {
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
    this.#connection.pageSizeBytes = pageSizeBytes;
    this.#pages = new ReceivedPages(this.#guest.memory, pages, pageSizeBytes);
    this.#arrival = { migration: hello.migration, guest: name, peer: this.#peer };
    this.#options.began?.(this.#arrival);
  }

  #keepState(offset: number, piece: Buffer): void {
    if (!this.#guest!.load) throw new WireError("a 'state' frame for a guest without state");
    if (offset !== this.#stateBytes)
      throw new WireError(`a 'state' frame at offset ${offset}; expected ${this.#stateBytes}`);
    this.#stateBytes += piece.length;
    if (this.#stateBytes > MOST_STATE_BYTES)
      throw new WireError(`more than ${MOST_STATE_BYTES} bytes of state`);
    this.#state.push(piece);
  }

  async #compare(paused: number, payload: Buffer): Promise<void> {
    const { guestTimeNs, digest } = decodeStop(payload);
    if (paused > 1) throw new WireError(`a 'stop' frame with paused = ${paused}; expected 0 or 1`);
    this.#paused = paused === 1;
    this.#guestTimeNs = guestTimeNs;
    if (!digest.equals(this.#pages!.digest())) {
      throw new WireError('the received pages differ from the sent ones: wrong checksum');
    }
    await this.#guest!.load?.(Buffer.concat(this.#state));
    this.#journal?.write('ready');
    this.#connection.send('ready');
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
    this.#tookOver = true;
    this.#connection.send('running', 0, encodeNanos(outcome.resumeNs));
  }

  async #end(why: Error | undefined): Promise<ConnectionEnd> {
    clearTimeout(this.#authenticationTimeout);
    const { line, outcome } = await this.#outcome(why);
    const { migrations } = this.#options;
    if (outcome) migrations.ended(this.#migration, outcome);
    else migrations.forget(this.#migration);
    this.#conclude(outcome);
    const resumeNs = this.#tookOver ? this.#resumeNs : undefined;
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
      if (!this.#tookOver) return { line };
      const kept = { name: this.#name, guest: this.#guest!, resumeNs: this.#resumeNs };
      return { line, outcome: { kind: 'kept', ...kept } };
    }
    await this.#guest?.discard();
    const trouble = this.#closeJournal('aborted', reason);
    const line = `${this.#name} did not arrive: ${reason}${trouble}`;
    return trouble ? { line } : { line, outcome: { kind: 'returned', why: reason } };
  }

  /** Of a guest that could not be run the journal stays open: it is this end's all the same. */
  #keeps(remark: string): string {
    const closed = this.#tookOver ? this.#closeJournal('ended') : '';
    this.#journal?.close();
    const how = !this.#tookOver ? 'could not be run' : this.#paused ? 'is here, paused' : 'runs here';
    return `${this.#name} ${how}${remark}${closed}`;
  }

  /** @returns what to add if the journal could not be closed */
  #closeJournal(entry: 'aborted' | 'ended', reason?: string): string {
    try {
      this.#journal?.write(entry, reason);
      return '';
    } catch (cause) {
      return `; ${reasonOf(cause)}`;
    }
  }
}
