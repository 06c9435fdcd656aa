import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);

/**
 * Where the program of a thread or a child process lies: as it was built, also when the code that starts it runs from its
 * TypeScript source, as in tests.
 * @param path below the source folder, without its ending: `worlds/threads/guest-worker`
 */
export function entry(path: string): URL {
  return pathToFileURL(require.resolve(`#programs/${path}`));
}
