import { parentPort, workerData } from 'node:worker_threads';
import { koffi } from '../../platform/koffi.ts';
import { threadId } from '../../platform/thread-scheduling.ts';
import { answerQuestions } from './unsent-bytes.ts';

/** Linux, include/uapi/linux/sockios.h: of a socket, the bytes of its send queue that have not been sent (tcp(7)). */
const SIOCOUTQNSD = 0x894b;

const library = koffi()?.load(null);
const ioctl = library?.func('int ioctl(int descriptor, ulong request, _Out_ int *answer)');
const answer = [0];

parentPort!.postMessage(threadId());
answerQuestions(workerData as SharedArrayBuffer, (descriptor) =>
  ioctl?.(descriptor, SIOCOUTQNSD, answer) === 0 ? answer[0]! : -1,
);
