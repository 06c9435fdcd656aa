import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Face } from './faces.ts';

/** A program of a few lines, and the exports that it shows. Its lines `// → …` say what it prints. */
export interface Example {
  readonly names: readonly string[];
  readonly code: string;
}

/** The examples of a face: `reference/examples/PAGE.js`, cut at its lines `//# name, name`. */
export function examplesOf(root: string, { page }: Face): readonly Example[] {
  const text = readFileSync(join(root, `reference/examples/${page}.js`), 'utf8');
  return text
    .split(/^\/\/# /m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      return { names: section.slice(0, end).split(', '), code: section.slice(end).trim() };
    });
}

/** What an example says that it prints. */
export function printedBy({ code }: Example): readonly string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text!);
}
