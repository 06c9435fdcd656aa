import { Worker } from 'node:worker_threads';
import { inputLimits } from '../core/input-limits.ts';
import { WireError } from '../core/wire/frames.ts';
import { entry } from '../platform/entry.ts';
import { reasonOf } from '../platform/failure.ts';
import type { Hello } from './hello.ts';
import { decodeHello } from './hello-schema.ts';

/** What came of a hello in its thread. */
export type ReadHello = { readonly hello: Hello } | { readonly wrong: string };

/** Of its heap; V8 would take 48 MiB, which no hello needs. */
const YOUNG_MIB = 8;

/** The threads run one after the other, so that strangers never have more of this host than one of them. */
let last: Promise<unknown> = Promise.resolve();

/**
 * What a hello says, and its recording if it has one has been read through. This thread serves guests, so it only looks
 * at what is short; anything else is read in a thread that has an end in time and memory.
 * @param isWanted asked when it is this hello's turn: whether anybody still waits for it
 * @throws WireError it is none, or more than is read of one
 */
export async function readHello(payload: Buffer, isWanted: () => boolean): Promise<Hello> {
  if (payload.length <= inputLimits.promptHelloBytes) {
    const hello = decodeHello(payload);
    if (hello.guest.program.kind !== 'trace') return hello;
  }
  const turn = last.then(() => {
    if (!isWanted()) throw new WireError('nobody waits for this hello any more');
    return inThread(payload);
  });
  last = turn.catch(() => {});
  return turn;
}

function inThread(payload: Buffer): Promise<Hello> {
  const { helloHeapMiB, helloMs } = inputLimits;
  // Given away instead of copied, where it is not a part of something else.
  const isWhole = payload.length === payload.buffer.byteLength;
  const worker = new Worker(entry('transport/hello-worker'), {
    workerData: payload,
    transferList: isWhole ? [payload.buffer as ArrayBuffer] : [],
    resourceLimits: { maxOldGenerationSizeMb: helloHeapMiB, maxYoungGenerationSizeMb: YOUNG_MIB },
  });
  return new Promise<Hello>((resolve, reject) => {
    const refuse = (why: string) => reject(new WireError(`hello: ${why}`));
    const timer = setTimeout(() => refuse(`it takes more than ${helloMs / 1000} s to read`), helloMs);
    worker.once('message', (read: ReadHello) => {
      if ('hello' in read) resolve(read.hello);
      else reject(new WireError(read.wrong));
    });
    worker.once('error', (cause: NodeJS.ErrnoException) => {
      const isOutOfMemory = cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
      refuse(isOutOfMemory ? `it takes more than ${helloHeapMiB} MiB to read` : reasonOf(cause));
    });
    worker.once('exit', () => {
      clearTimeout(timer);
      refuse('its thread has ended');
    });
  }).finally(() => worker.terminate());
}
