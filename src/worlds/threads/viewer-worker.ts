import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import type { Outage } from '../../core/migration/course.ts';
import { clockNs } from '../clock.ts';
import { decodeHeartbeat } from './heartbeat.ts';
import { HeartbeatAccount } from './heartbeat-account.ts';

/** The guest's client: a thread with a UDP socket, so that nothing else of the run can delay its clock. */
export interface ViewerWorkerData {
  readonly host: string;
  readonly token: number;
  readonly periodNs: number;
}
export type ViewerCommand =
  | { readonly kind: 'watch gaps' }
  | { readonly kind: 'report'; readonly sent: number };
export type ViewerReport =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'outage'; readonly outage: Outage | null };

/** How long heartbeats that were sent may still be on their way when the report is asked for. */
const STRAGGLERS_NS = 500e6;
const POLL_MS = 5;

const { host, token, periodNs } = workerData as ViewerWorkerData;
const account = new HeartbeatAccount(periodNs);
const socket = createSocket('udp4');

socket.on('message', (bytes) => {
  const heartbeat = decodeHeartbeat(bytes);
  if (heartbeat?.token === token) account.arrived(heartbeat, clockNs());
});
socket.on('error', (error) => report({ kind: 'failed', why: error.message }));
socket.bind(0, host, () => report({ kind: 'listening', port: socket.address().port }));

parentPort!.on('message', (command: ViewerCommand) => {
  if (command.kind === 'watch gaps') account.watchGaps();
  else reportOnceComplete(command.sent, clockNs() + STRAGGLERS_NS);
});

function reportOnceComplete(sent: number, untilNs: number): void {
  if (account.last >= sent || clockNs() >= untilNs) {
    report({ kind: 'outage', outage: account.outage(sent) });
  } else {
    setTimeout(reportOnceComplete, POLL_MS, sent, untilNs);
  }
}

function report(message: ViewerReport): void {
  parentPort!.postMessage(message);
}
