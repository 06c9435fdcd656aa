import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { inputLimits } from '../core/input-limits.ts';
import { Failure, reasonOf } from '../platform/failure.ts';

/** Something that QEMU reports unasked. */
export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

type Message =
  | QmpEvent
  | { readonly QMP: unknown }
  | { readonly id: number; readonly return: unknown }
  | { readonly id: number; readonly error: { readonly class: string; readonly desc: string } };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (why: Error) => void;
  /** Rejects it when QEMU has not answered in time. */
  readonly late: NodeJS.Timeout;
}

const CONNECT_EVERY_MS = 3;
/** QEMU answers within milliseconds; after so long it hangs. */
const ANSWER_MS = 10_000;
/** Why a monitor accepts a connection and says nothing, or cannot even let it wait. */
export const TAKEN = 'it does not answer: somebody else uses this monitor, or QEMU hangs';

const CLOSED = 'QEMU closed the monitor connection';

/** It was closed before all that was written had been read, or while something was. */
function isClosing({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET';
}

/** QEMU's monitor (docs/interop/qmp-spec): commands and answers as lines of JSON, and events between them. */
export class Qmp {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #endListeners = new Set<(why: Error) => void>();
  #text = '';
  #asked = 0;
  #isGreeted = false;
  #gone: Error | undefined;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#read(text));
    stream.on('error', (error) => this.#end(isClosing(error) ? new Failure(CLOSED) : error));
    stream.on('close', () => this.#end(new Failure(CLOSED)));
  }

  /**
   * @param gaveUp why QEMU will not listen there, once that is known. It is told the code of the last refusal.
   * @throws Failure it is not a monitor, somebody else uses it, or QEMU does not listen there
   */
  static async connect(path: string, gaveUp: (code: string) => string | undefined): Promise<Qmp> {
    for (;;) {
      const answer = await attempt(path);
      if (typeof answer !== 'string') return Qmp.#greeted(new Qmp(answer));
      const why = gaveUp(answer);
      if (why !== undefined) throw new Failure(why);
      await sleep(CONNECT_EVERY_MS);
    }
  }

  /** A monitor that somebody else has made ready. */
  static over(stream: Duplex): Qmp {
    return new Qmp(stream);
  }

  static async #greeted(qmp: Qmp): Promise<Qmp> {
    try {
      await qmp.execute('qmp_capabilities');
      return qmp;
    } catch (cause) {
      // The kernel has connected us, but QEMU greets one at a time.
      const isSilent = !qmp.#isGreeted && qmp.#gone === undefined;
      qmp.close();
      throw isSilent ? new Failure(TAKEN) : cause;
    }
  }

  /** @throws Failure QEMU refuses, hangs or has ended. */
  execute<Result = unknown>(command: string, args: object = {}): Promise<Result> {
    if (this.#gone) return Promise.reject(this.#gone);
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      const why = new Failure(`QEMU did not answer '${command}' within ${ANSWER_MS / 1000} s`);
      this.#waiting.set(id, {
        resolve: (value) => resolve(value as Result),
        reject: (why) => reject(new Failure(`QEMU: ${command}: ${reasonOf(why)}`)),
        late: setTimeout(() => this.#settle(id)?.reject(why), ANSWER_MS),
      });
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  listen(listener: (event: QmpEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** Told once when nothing more will be heard, and why: QEMU has ended, or closed the connection, or we have. */
  onEnd(listener: (why: Error) => void): void {
    if (this.#gone) listener(this.#gone);
    else this.#endListeners.add(listener);
  }

  close(): void {
    this.#stream.destroy();
  }

  #read(text: string): void {
    // What has no line's end yet is searched for one only once.
    const end = text.lastIndexOf('\n');
    const lines = end < 0 ? [] : (this.#text + text.slice(0, end)).split('\n');
    this.#text = end < 0 ? this.#text + text : text.slice(end + 1);
    try {
      if (this.#text.length > inputLimits.monitorLineBytes) throw new Failure('a line without an end');
      for (const line of lines) if (line.trim() !== '') this.#take(JSON.parse(line) as Message);
    } catch {
      this.#end(new Failure('what listens there is no monitor of QEMU'));
      this.close();
    }
  }

  #take(message: Message): void {
    if ('event' in message) for (const listener of this.#listeners) listener(message);
    else if ('error' in message) this.#settle(message.id)?.reject(new Failure(message.error.desc));
    else if ('QMP' in message) this.#isGreeted = true;
    else if ('return' in message) this.#settle(message.id)?.resolve(message.return);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.late);
    this.#waiting.delete(id);
    return waiting;
  }

  #end(why: Error): void {
    this.#gone ??= why;
    for (const listener of this.#endListeners) listener(this.#gone);
    this.#endListeners.clear();
    for (const id of [...this.#waiting.keys()]) this.#settle(id)!.reject(why);
  }
}

/** Whether a process listens there; its socket's file may outlive it. */
export async function isListening(path: string): Promise<boolean> {
  const answer = await attempt(path);
  if (typeof answer === 'string') return false;
  answer.destroy();
  return true;
}

/** @returns the code of the error if it is refused */
function attempt(path: string): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const refused = ({ code = '' }: NodeJS.ErrnoException) => resolve(code);
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      resolve(socket);
    });
  });
}
