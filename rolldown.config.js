import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const compiled = 'build/src';

/** What package.json exports, the command, and what threads and child processes run. */
const programs = readdirSync(compiled, { recursive: true, encoding: 'utf8' }).filter((path) =>
  /^(index|library\/[a-z]+|cli\/main|.*-worker|.*-destination-main)\.js$/.test(path),
);

/** What every command loads, and what a daemon does: most of their start is to find and read hundreds of modules. */
const takenIn = ['@fastify/static', 'commander', 'fastify', 'pino', 'prom-client', 'yaml', 'zod'];

/** The packages that a bundle has taken in, each with its licence. */
const licences = {
  name: 'licences',
  generateBundle(_, bundle) {
    const ids = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds);
    const folders = new Set(ids.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? []));
    const texts = [...folders].sort().map((folder) => {
      const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      const { license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
      return `${name} (${license})\n\n${file ? readFileSync(`${folder}/${file}`, 'utf8') : ''}`;
    });
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
    external: (id, importer) =>
      !/^[./]/.test(id) && !takenIn.includes(id) && !importer?.includes('node_modules'),
    plugins: [licences],
    // No paths of whoever builds it.
    experimental: { attachDebugInfo: 'none' },
    output: { dir: 'dist', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
  },
  // The page's own: a browser loads one file of each.
  {
    input: { 'page/units': `${compiled}/core/units.js`, 'page/yaml': 'yaml' },
    platform: 'browser',
    experimental: { attachDebugInfo: 'none' },
    output: { dir: 'dist', entryFileNames: '[name].js', chunkFileNames: 'page/[name].js' },
  },
]);
