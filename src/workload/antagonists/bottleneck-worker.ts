import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Bottleneck, passedNs } from '../../core/link/bottleneck.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';

/** A relay between sender and destination that forwards bytes at the rate of its bottleneck. */
export interface BottleneckWorkerData {
  readonly bottleneck: Bottleneck;
  readonly host: string;
  readonly port: number;
}

/** Bytes are forwarded in pieces of this size. */
const PIECE_BYTES = 8 * 1024;
/** A timer ends up to a millisecond late; the pieces that have become due meanwhile pass at once. */
const WORTH_SLEEPING_NS = NANOS_PER_MILLISECOND;

const { bottleneck, host, port } = workerData as BottleneckWorkerData;
const beganAtNs = clockNs();

const server = createServer({ noDelay: true }, (source) => {
  const destination = connect({ host, port, noDelay: true });
  const hangUp = () => {
    source.destroy();
    destination.destroy();
  };
  for (const socket of [source, destination]) socket.on('error', hangUp).on('close', hangUp);
  destination.pipe(source);
  void pass(source, destination).then(hangUp, hangUp);
});
server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as { port: number }).port));

async function pass(source: Socket, destination: Socket): Promise<void> {
  let freeNs = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      const piece = chunk.subarray(start, start + PIECE_BYTES);
      freeNs = passedNs(bottleneck, Math.max(freeNs, clockNs() - beganAtNs), piece.length);
      const waitNs = freeNs - (clockNs() - beganAtNs);
      if (waitNs > WORTH_SLEEPING_NS) await sleep(waitNs / NANOS_PER_MILLISECOND);
      if (!destination.write(piece)) await new Promise((resolve) => destination.once('drain', resolve));
    }
  }
}
