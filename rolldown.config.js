import { readdirSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const compiled = 'build/src';

/** What package.json exports, the command, and what threads and child processes run. */
const programs = readdirSync(compiled, { recursive: true, encoding: 'utf8' }).filter(
  (path) =>
    /^index\.js$|^library\/|^cli\/main\.js$|-worker\.js$|-destination-main\.js$/.test(path) &&
    path.endsWith('.js'),
);

/** Of packages, only zod is taken in: its hundred modules take as long to load as everything else together. */
const external = (id) => !/^[./]|^zod/.test(id);

/**
 * What is shipped (docs/decisions/059): as few modules as programs need, since each costs a start a millisecond. Types lie
 * beside, as the compiler writes them.
 */
export default defineConfig([
  {
    input: Object.fromEntries(programs.map((path) => [path.slice(0, -'.js'.length), `${compiled}/${path}`])),
    platform: 'node',
    external,
    output: { dir: 'dist', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
  },
  // The page's own: a browser loads one file.
  {
    input: { 'page/units': `${compiled}/core/units.js` },
    output: { dir: 'dist', entryFileNames: '[name].js' },
  },
]);
