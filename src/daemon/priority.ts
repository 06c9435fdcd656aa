import { schedSetattr } from '../platform/libc.ts';
import { setNice } from '../platform/thread-scheduling.ts';

const HOST_NICE = -10;

/**
 * Puts the calling thread, which takes the steps of migrations, before ordinary ones, where that is
 * permitted. It works little and in short pieces; reserved threads go before it all the same. Without koffi the threads
 * that it starts would inherit that, so then it is not done.
 */
export function goFirst(): void {
  if (schedSetattr()) setNice(HOST_NICE);
}
