import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const compiled = 'build/src';

/** What package.json exports, the command, and what threads and child processes run. */
const programs = readdirSync(compiled, { recursive: true, encoding: 'utf8' }).filter((path) =>
  /^(index|library\/[a-z]+|cli\/main|.*-worker|.*-destination-main)\.js$/.test(path),
);

/** What every command loads: their two hundred modules take as long as everything else together. */
const takenIn = ['commander', 'yaml', 'zod'];

const licences = {
  name: 'licences',
  generateBundle() {
    const texts = takenIn.map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`);
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: texts.join('\n') });
  },
};

/**
 * What is shipped (docs/decisions/059): as few modules as programs need, since each costs a start a millisecond. Types lie
 * beside, as the compiler writes them.
 */
export default defineConfig([
  {
    input: Object.fromEntries(programs.map((path) => [path.slice(0, -'.js'.length), `${compiled}/${path}`])),
    platform: 'node',
    external: (id) => !/^[./]/.test(id) && !takenIn.includes(id),
    plugins: [licences],
    output: { dir: 'dist', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
  },
  // The page's own: a browser loads one file.
  {
    input: { 'page/units': `${compiled}/core/units.js` },
    output: { dir: 'dist', entryFileNames: '[name].js' },
  },
]);
