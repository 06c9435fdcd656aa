import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from '../platform/failure.ts';
import { checkRecording } from '../workload/trace.ts';
import { decodeHello } from './hello-schema.ts';
import type { ReadHello } from './read-hello.ts';

/** Reads one hello, whatever it costs within the limits of this thread. */
parentPort!.postMessage(read(workerData as Uint8Array));

function read(payload: Uint8Array): ReadHello {
  try {
    const hello = decodeHello(payload);
    const { program } = hello.guest;
    if (program.kind === 'trace') checkRecording(program);
    return { hello };
  } catch (cause) {
    return { wrong: reasonOf(cause) };
  }
}
