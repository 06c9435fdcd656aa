import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { LinkAccount } from '../../core/link/account.ts';
import { fullBucket } from '../../core/link/bucket.ts';
import type { LinkRecord } from '../../core/migration/migration-result.ts';
import type { Bytes, BytesPerSecond } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { serve } from '../../platform/worker-thread.ts';

/** A wire between two QEMUs on this host, in a thread of its own: it holds nothing back and keeps an account of what passes. */
export interface RelayData {
  readonly to: number;
  readonly depthBytes: Bytes;
  /** What the sending end was told to keep to; null: nothing. */
  readonly rateBytesPerSecond: BytesPerSecond | null;
}
export interface RelayMethods {
  /** @returns the port to which the source connects */
  listen(): Promise<number>;
  /** The guest is paused: what is carried from now on does not belong to the live rounds. */
  stopped(): void;
  carried(): { readonly live: LinkRecord; readonly whole: LinkRecord };
}

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

const methods: RelayMethods = {
  async listen() {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  },
  stopped() {
    stopped = true;
  },
  carried: () => ({ live: live.record(0), whole: whole.record(0) }),
};
serve(methods);

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
