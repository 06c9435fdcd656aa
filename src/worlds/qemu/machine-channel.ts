import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { z } from 'zod';
import { Failure } from '../../platform/failure.ts';
import { moveSchema } from './arrivals.ts';
import { settledStates, verdicts } from './settle-destination.ts';

/** A guest on its way, and by which both ends know its move. */
const departingSchema = z.strictObject({ guest: z.string().min(1).max(200), move: moveSchema });
export type DepartingGuest = z.infer<typeof departingSchema>;

/** What the two ends say of a machine beside its stream. */
const wordSchema = z.discriminatedUnion('kind', [
  /** The source asks for a destination that waits for this guest. */
  z.strictObject({ kind: z.literal('prepare'), ...departingSchema.shape }),
  z.strictObject({ kind: z.literal('waiting') }),
  z.strictObject({ kind: z.literal('refused'), why: z.string().max(1_000) }),
  /** The destination has everything. */
  z.strictObject({ kind: z.literal('completed') }),
  /** The source is done: the machine is to run. */
  z.strictObject({ kind: z.literal('run') }),
  z.strictObject({ kind: z.literal('running') }),
  /** The machine has stayed at its source. */
  z.strictObject({ kind: z.literal('abandon') }),
  /** Whoever comes after a source that was killed says whose a machine is that has come whole. */
  z.strictObject({ kind: z.literal('settle'), move: moveSchema, verdict: z.enum(verdicts) }),
  z.strictObject({
    kind: z.literal('settled'),
    did: z.enum(settledStates),
    reason: z.string().max(1_000).optional(),
  }),
]);
export type Word = z.infer<typeof wordSchema>;

const kinds = { stream: 1, word: 2 } as const;
/** Before a piece: its kind, and how long it is. */
export const HEAD_BYTES = 5;
/** A piece of a stream is no longer, and a word is much shorter. */
const MOST_BYTES = 512 * 1024;
const MOST_WORD_BYTES = 4 * 1024;
const NOT_OURS = 'the other end does not speak of machines here';

/**
 * Whether a connection that begins so speaks of machines, and does not send our frames: a word comes first, whose JSON begins where a
 * frame has the upper bytes of its type. There are fewer than 256 types of frames.
 */
export function beginsWord(head: Uint8Array): boolean {
  return head[0] === kinds.word && head[HEAD_BYTES] === '{'.charCodeAt(0);
}

/**
 * One connection between the two ends of a migration of somebody's machine: QEMU's stream and its return path in pieces, and words
 * between them. A piece is a byte that says which of both it is, its length in four bytes, and what it holds.
 */
export class MachineChannel {
  /** QEMU's stream one way, its return path the other. */
  readonly stream: Duplex;
  readonly #socket: Socket;
  readonly #heard: Word[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #wake = () => {};
  #gone: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    // What waited for an acknowledgement would count as not sent.
    socket.setNoDelay(true);
    this.stream = new Duplex({
      write: (chunk: Buffer, _, done) => this.#write(kinds.stream, chunk, done),
      read: () => void socket.resume(),
      destroy: (cause, done) => {
        socket.destroy();
        done(cause);
      },
      // The connection is for words too, and ends when both have been said.
      final: (done) => done(),
      allowHalfOpen: true,
    });
    this.stream.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => this.#end(new Failure('the other end has closed the connection')));
  }

  say(word: Word): void {
    this.#write(kinds.word, Buffer.from(JSON.stringify(word)), () => {});
  }

  /** The next word. @throws Failure the connection has ended before, or nothing was said for so long */
  async next(withinMs = Number.POSITIVE_INFINITY): Promise<Word> {
    let timer: NodeJS.Timeout | undefined;
    if (withinMs < Number.POSITIVE_INFINITY) {
      const late = new Failure(`the other end has said nothing for ${withinMs / 1_000} s`);
      timer = setTimeout(() => this.#end(late), withinMs);
    }
    try {
      for (;;) {
        const word = this.#heard.shift();
        if (word) return word;
        if (this.#gone) throw this.#gone;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket.end();
  }

  #write(kind: number, bytes: Buffer, done: (cause?: Error | null) => void): void {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(kind, 0);
    head.writeUInt32BE(bytes.length, 1);
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(bytes, (cause) => done(cause));
    this.#socket.uncork();
  }

  #read(chunk: Buffer): void {
    let rest: Buffer = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    while (rest.length >= HEAD_BYTES) {
      const [kind, length] = [rest.readUInt8(0), rest.readUInt32BE(1)];
      const most = kind === kinds.stream ? MOST_BYTES : kind === kinds.word ? MOST_WORD_BYTES : 0;
      if (length > most) {
        this.#end(new Failure(NOT_OURS));
        return;
      }
      if (rest.length < HEAD_BYTES + length) break;
      this.#take(kind, Buffer.from(rest.subarray(HEAD_BYTES, HEAD_BYTES + length)));
      rest = rest.subarray(HEAD_BYTES + length);
    }
    this.#rest = Buffer.from(rest);
  }

  #take(kind: number, bytes: Buffer): void {
    if (kind === kinds.stream) {
      if (!this.stream.push(bytes)) this.#socket.pause();
      return;
    }
    try {
      this.#heard.push(wordSchema.parse(JSON.parse(bytes.toString('utf8'))));
      this.#wake();
    } catch {
      this.#end(new Failure(NOT_OURS));
    }
  }

  #end(why: Error): void {
    this.#gone ??= why;
    this.#socket.destroy();
    this.stream.destroy();
    this.#wake();
  }
}
