/**
 * Where a worker's or child process's program lies. Threads run built JavaScript, also when the code that
 * starts them is run from its TypeScript source, as the tests do.
 * @param path below the source folder, without its ending: `worlds/threads/guest-worker`
 */
export function entry(path: string): URL {
  const root = import.meta.url.endsWith('.ts') ? '../../dist/' : '../';
  return new URL(`${root}${path}.js`, import.meta.url);
}
