/**
 * Where a program of this folder lies. Processes run built JavaScript, also when the code that starts them is run from its
 * TypeScript source, as the test does.
 * @param name of its file, without its ending
 */
export function built(name: string): URL {
  const folder = import.meta.url.endsWith('.ts') ? '../../build/bench/linux-guest/' : './';
  return new URL(`${folder}${name}.js`, import.meta.url);
}
