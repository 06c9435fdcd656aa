import { parentPort } from 'node:worker_threads';
import type { Outage } from '../../core/migration/migration-result.ts';
import { clockNs } from '../../platform/clock.ts';
import type { HeartbeatAccount } from './heartbeat-account.ts';

/** What a viewer's thread is given, asked and answers, whatever way heartbeats come to it. */
export interface ViewerWorkerData {
  readonly host: string;
  readonly token: number;
  readonly periodNs: number;
}
export type ViewerCommand =
  | { readonly kind: 'watch gaps' }
  /** The guest has left its source: what still comes from there is not for the client. */
  | { readonly kind: 'forget the source' }
  | { readonly kind: 'report'; readonly sent: number };
export type ViewerReport =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'outage'; readonly outage: Outage | null };

/** How long heartbeats that were sent may still be on their way when the report is asked for. */
const STRAGGLERS_NS = 500e6;
const POLL_MS = 5;

/** Answers for this thread. */
export function serveViewer(account: HeartbeatAccount, forgetSource: () => void = () => {}) {
  parentPort!.on('message', (command: ViewerCommand) => {
    if (command.kind === 'watch gaps') account.watchGaps();
    else if (command.kind === 'forget the source') forgetSource();
    else reportOnceComplete(command.sent, clockNs() + STRAGGLERS_NS);
  });

  function reportOnceComplete(sent: number, untilNs: number): void {
    if (account.last >= sent || clockNs() >= untilNs) {
      report({ kind: 'outage', outage: account.outage(sent) });
    } else {
      setTimeout(reportOnceComplete, POLL_MS, sent, untilNs);
    }
  }
  return {
    listening: (port: number) => report({ kind: 'listening', port }),
    failed: (why: string) => report({ kind: 'failed', why }),
  };
}

function report(message: ViewerReport): void {
  parentPort!.postMessage(message);
}
