import { parentPort, workerData } from 'node:worker_threads';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import { noisyTurn } from '../antagonists/noisy-turn.ts';
import { clockNs } from '../clock.ts';
import { openTurn, type TurnData } from '../cpu/turn.ts';
import { reasonOf } from '../failure.ts';
import { Allowance } from '../transfer/allowance.ts';
import type { DestinationThere } from '../transfer/connect.ts';
import type { Hello } from '../transfer/hello.ts';
import type { Retired } from '../transfer/payloads.ts';
import { type Committed, Sender, type SentPages } from '../transfer/sender.ts';
import { DirtyLog } from './dirty-log.ts';

/** The sender's thread: carries out one request after another, but an abort at once, and answers each. */
export interface SenderWorkerData {
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly memory: SharedArrayBuffer;
  readonly dirty: SharedArrayBuffer;
  readonly depthBytes: number;
  readonly allowance: SharedArrayBuffer;
  readonly cpuPerPageNs: Nanos;
  readonly cpuPerHandoverNs: Nanos;
  readonly turn: TurnData;
  /** A mean of 0: none. */
  readonly timerNoise: { readonly meanNs: Nanos; readonly seed: number };
}

export interface SenderRequests {
  greet: { to: DestinationThere; hello: Omit<Hello, 'version'> };
  send: { pages: Uint32Array; rate: BytesPerSecond | null; clears: boolean; endsRound: boolean };
  stop: { guestTimeNs: Nanos; paused: boolean };
  verify: object;
  commit: object;
  retire: object;
  leave: object;
  /** How full is the bucket, meanwhile? */
  look: object;
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
  look: number | null;
  abort: undefined;
}

/** A request is answered by its number: an abort and a look overtake what is being carried out. */
export type SenderRequest = { readonly number: number } & {
  [K in keyof SenderRequests]: { readonly kind: K } & SenderRequests[K];
}[keyof SenderRequests];

/** Every answer says when it was known, on the host's clock, and what the link has carried so far. */
export type SenderAnswer = { readonly number: number; readonly atNs: Nanos; readonly link: LinkRecord } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string }
);

const data = workerData as SenderWorkerData;
const log = new DirtyLog(data.pages, data.dirty);
const { meanNs, seed } = data.timerNoise;
const quietTurn = openTurn(data.turn);
const turn = meanNs > 0 ? noisyTurn(quietTurn, meanNs, seed) : quietTurn;
const sender = new Sender(
  {
    memory: new Uint8Array(data.memory),
    pages: data.pages,
    pageSizeBytes: data.pageSizeBytes,
    clear: (page) => log.clear(page),
  },
  data.depthBytes,
  { turn, cpuPerPageNs: data.cpuPerPageNs, cpuPerHandoverNs: data.cpuPerHandoverNs },
  new Allowance(data.allowance),
);

parentPort!.on('message', async (request: SenderRequest) => {
  let outcome: { ok: true; result: unknown } | { ok: false; why: string };
  const overtakes = request.kind === 'abort' || request.kind === 'look';
  if (!overtakes) turn.wakes();
  try {
    outcome = { ok: true, result: await carryOut(request) };
  } catch (cause) {
    outcome = { ok: false, why: reasonOf(cause) };
  }
  if (!overtakes) turn.sleeps();
  const { number } = request;
  parentPort!.postMessage({ ...outcome, number, atNs: clockNs(), link: sender.link } satisfies SenderAnswer);
});

function carryOut(request: SenderRequest): unknown {
  switch (request.kind) {
    case 'greet':
      return sender.greet(request.to, request.hello);
    case 'send':
      return sender.sendPages(request);
    case 'stop':
      return sender.stop(request.guestTimeNs, request.paused);
    case 'verify':
      return sender.verify();
    case 'commit':
      return sender.commit();
    case 'retire':
      return sender.retire();
    case 'leave':
      sender.leave();
      return undefined;
    case 'look':
      return sender.levelBytes;
    case 'abort':
      sender.abort(request.why);
      return undefined;
  }
}
