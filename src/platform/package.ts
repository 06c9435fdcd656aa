import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const require = createRequire(import.meta.url);

/** The version of this program, as its package.json says. */
export const { version } = require('#package.json') as { version: string };

/** Where its package is, wherever in it what runs has been built. */
export const packageFolder = dirname(require.resolve('#package.json'));
