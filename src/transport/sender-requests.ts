import { parentPort } from 'node:worker_threads';
import type { LinkRecord } from '../core/migration/migration-result.ts';
import type { BytesPerSecond, Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { reasonOf } from '../platform/failure.ts';
import type { ScheduledThread } from '../sched/scheduled-thread.ts';
import type { DestinationThere } from './address.ts';
import type { Hello } from './hello.ts';
import type { Retired } from './payloads.ts';
import type { Committed, Sender, SentPages } from './sender.ts';

/** What is asked of a sender's thread, and what it answers. */
export interface SenderRequests {
  greet: { to: DestinationThere; hello: Omit<Hello, 'version'> };
  send: { pages: Uint32Array; rate: BytesPerSecond | null; clears: boolean; endsRound: boolean };
  /** Sends what the guest is beyond its pages. */
  state: { bytes: Uint8Array };
  /** Everything was sent: is it there? `paused`: the guest is to stay so. */
  stop: { guestTimeNs: Nanos; paused: boolean };
  verify: object;
  commit: object;
  retire: object;
  /** The destination keeps the guest: nothing more is asked. */
  finish: object;
  /** How full is the bucket, meanwhile? */
  level: object;
  abort: { why: string };
}

export interface SenderResults {
  greet: undefined;
  send: SentPages;
  state: undefined;
  stop: undefined;
  verify: string;
  commit: Committed;
  retire: Retired;
  finish: undefined;
  level: number | null;
  abort: undefined;
}

/** A request is answered by its number: some overtake what is being carried out. */
export interface Numbered {
  readonly number: number;
  readonly kind: string;
}
const overtaking: ReadonlySet<string> = new Set<keyof SenderRequests>(['abort', 'level']);

/** Every answer says when it was known, on the host's clock, and what the link has carried so far. */
export type SenderAnswer = { readonly number: number; readonly atNs: Nanos; readonly link: LinkRecord } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string }
);

/** How a thread carries out what it is asked. */
export type Handlers<Requests> = { readonly [K in keyof Requests]: (request: Requests[K]) => unknown };

/**
 * Has this thread carry out one request after another, but an abort at once, and answer each.
 * @param link what it has carried so far
 */
export function serveSender<Requests extends SenderRequests>(
  handlers: Handlers<Requests>,
  thread: ScheduledThread,
  link: () => LinkRecord,
): void {
  const byKind = handlers as Readonly<Record<string, (request: unknown) => unknown>>;
  parentPort!.on('message', async (request: Numbered) => {
    let outcome: { ok: true; result: unknown } | { ok: false; why: string };
    const { number, kind } = request;
    const overtakes = overtaking.has(kind);
    if (!overtakes) thread.unblock();
    try {
      outcome = { ok: true, result: await byKind[kind]!(request) };
    } catch (cause) {
      outcome = { ok: false, why: reasonOf(cause) };
    }
    if (!overtakes) thread.block();
    const answer: SenderAnswer = { ...outcome, number, atNs: clockNs(), link: link() };
    parentPort!.postMessage(answer);
  });
}

/** Those of a sender that speaks our wire. */
export function senderHandlers(sender: Sender): Handlers<SenderRequests> {
  return {
    greet: ({ to, hello }) => sender.greet(to, hello),
    send: (request) => sender.sendPages(request),
    state: ({ bytes }) => sender.sendState(Buffer.from(bytes)),
    stop: ({ guestTimeNs, paused }) => sender.stop(guestTimeNs, paused),
    verify: () => sender.verify(),
    commit: () => sender.commit(),
    retire: () => sender.retire(),
    finish: () => sender.finish(),
    level: () => sender.levelBytes,
    abort: ({ why }) => sender.abort(why),
  };
}
