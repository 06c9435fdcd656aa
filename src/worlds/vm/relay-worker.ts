import { connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { LinkAccount } from '../../core/link/account.ts';
import { fullBucket } from '../../core/link/bucket.ts';
import type { LinkRecord } from '../../core/migration/migration-result.ts';
import type { Bytes, BytesPerSecond } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';

/** A wire between two QEMUs that holds nothing back and keeps an account of what passes. */
export interface RelayData {
  readonly to: number;
  readonly depthBytes: Bytes;
  /** What the sending end was told to keep to; null: nothing. */
  readonly rateBytesPerSecond: BytesPerSecond | null;
}
/** `stopped`: the guest is paused from now on. */
export type RelayCommand = 'stopped' | 'report';
export type RelayReport =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'carried'; readonly live: LinkRecord; readonly whole: LinkRecord };

const { to, depthBytes, rateBytesPerSecond } = workerData as RelayData;
const beganAtNs = clockNs();
const bucket =
  rateBytesPerSecond === null ? undefined : fullBucket(rateBytesPerSecond, depthBytes, beganAtNs);
const [live, whole] = [account(), account()];
let stopped = false;

const server = createServer((source) => {
  const destination = connect(to, '127.0.0.1');
  for (const [one, other] of [[source, destination] as const, [destination, source] as const]) {
    one.setNoDelay(true);
    one.on('error', () => other.destroy());
    one.on('end', () => other.end());
  }
  source.on('data', (bytes) => {
    if (!stopped) live.departed(clockNs(), bytes.length, bucket);
    whole.departed(clockNs(), bytes.length, bucket);
    pass(bytes, source, destination);
  });
  destination.on('data', (bytes) => pass(bytes, destination, source));
});
server.listen(0, '127.0.0.1', () =>
  report({ kind: 'listening', port: (server.address() as { port: number }).port }),
);

parentPort!.on('message', (command: RelayCommand) => {
  if (command === 'stopped') stopped = true;
  else report({ kind: 'carried', live: live.record(0), whole: whole.record(0) });
});

function account(): LinkAccount {
  const made = new LinkAccount(depthBytes, beganAtNs);
  made.rateChanges(beganAtNs, 0, rateBytesPerSecond);
  return made;
}

/** As fast as the other end takes it. */
function pass(bytes: Buffer, from: Socket, onto: Socket): void {
  if (onto.write(bytes)) return;
  from.pause();
  onto.once('drain', () => from.resume());
}

function report(message: RelayReport): void {
  parentPort!.postMessage(message);
}
