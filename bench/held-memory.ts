import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a daemon (`node --expose-gc --import`): when it is told so by SIGUSR2, it collects its garbage and has the C library give
 * back what was freed (malloc_trim(3)), so that what is resident is what it holds.
 */
if (isMainThread) {
  const trim = createRequire(import.meta.url)('koffi')
    .load(null)
    .func('int malloc_trim(size_t pad)');
  process.on('SIGUSR2', () => {
    globalThis.gc!();
    trim(0);
  });
}
