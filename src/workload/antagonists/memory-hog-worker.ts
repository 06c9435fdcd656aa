import { workerData } from 'node:worker_threads';

/** Writes through its memory again and again, a word in every cache line, so that the bus is never idle. */
const LINE_WORDS = 16;

const words = new Uint32Array((workerData as { readonly bytes: number }).bytes / 4);
for (let pass = 1; ; pass++) {
  for (let i = 0; i < words.length; i += LINE_WORDS) words[i] = pass;
}
