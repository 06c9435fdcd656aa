import { workerData } from 'node:worker_threads';
import type { Nanos } from '../../core/units.ts';
import { noisyTurn } from '../antagonists/noisy-turn.ts';
import { openTurn, type TurnData } from '../cpu/turn.ts';
import { Allowance } from '../transfer/allowance.ts';
import { Sender } from '../transfer/sender.ts';
import { serveSender } from '../transfer/sender-desk.ts';
import { DirtyLog } from './dirty-log.ts';

/** The sender's thread: over memory in which its guest marks what it has written. */
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
serveSender(sender, turn);
