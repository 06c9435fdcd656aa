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
  stop: { guestTimeNs: Nanos; paused: boolean };
  verify: object;
  commit: object;
  retire: object;
  leave: object;
  /** How full is the bucket, meanwhile? */
  level: object;
  abort: { why: string };
}

export interface SenderResults {
  greet: undefined;
  send: SentPages;
  stop: undefined;
  verify: string;
  commit: Committed;
  retire: Retired;
  leave: undefined;
  level: number | null;
  abort: undefined;
}

type Handler = (request: unknown) => unknown;

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

/** How a thread carries out what its world asks of a sender besides. */
export type Handlers<Others> = { readonly [K in keyof Others]: (request: Others[K]) => unknown };

/** Has this thread carry out one request after another, but an abort at once, and answer each. */
export function serveSender<Others extends object = object>(
  sender: Sender,
  thread: ScheduledThread,
  others: Handlers<Others> = {} as Handlers<Others>,
): void {
  const handlers = { ...plainHandlers(sender), ...others } as Readonly<Record<string, Handler>>;
  parentPort!.on('message', async (request: Numbered) => {
    let outcome: { ok: true; result: unknown } | { ok: false; why: string };
    const { number, kind } = request;
    const overtakes = overtaking.has(kind);
    if (!overtakes) thread.unblock();
    try {
      outcome = { ok: true, result: await handlers[kind]!(request) };
    } catch (cause) {
      outcome = { ok: false, why: reasonOf(cause) };
    }
    if (!overtakes) thread.block();
    const answer: SenderAnswer = { ...outcome, number, atNs: clockNs(), link: sender.link };
    parentPort!.postMessage(answer);
  });
}

function plainHandlers(sender: Sender): Handlers<SenderRequests> {
  return {
    greet: ({ to, hello }) => sender.greet(to, hello),
    send: (request) => sender.sendPages(request),
    stop: ({ guestTimeNs, paused }) => sender.stop(guestTimeNs, paused),
    verify: () => sender.verify(),
    commit: () => sender.commit(),
    retire: () => sender.retire(),
    leave: () => sender.leave(),
    level: () => sender.levelBytes,
    abort: ({ why }) => sender.abort(why),
  };
}
