import { createRequire } from 'node:module';

/** Of this program, as its package.json says, wherever what runs has been built. */
export const { version } = createRequire(import.meta.url)('#package.json') as { version: string };
