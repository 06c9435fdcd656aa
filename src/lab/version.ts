import { createRequire } from 'node:module';

/** Of this program: package.json lies two floors up from here, in the source as in what is built from it. */
export const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
