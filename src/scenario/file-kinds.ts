import { dirname } from 'node:path';
import { UsageError } from '../platform/problem.ts';

/** What people give to a command that wants another file: how it is told, and the command that reads it. */
const kinds = [
  {
    what: 'a scenario',
    isOne: (has: Has) => has('guest') && has('link'),
    command: (file: string) => `switchover run ${file}`,
  },
  {
    what: 'a configuration',
    isOne: (has: Has) => !has('guest') && (has('receive') || has('peers') || has('guests')),
    command: (file: string) => `switchover serve --config ${file}`,
  },
  {
    what: 'a record',
    isOne: (has: Has) => has('schema') && has('outcome'),
    command: (file: string) => `switchover report ${dirname(file)}`,
  },
  {
    what: 'probabilities of pages',
    isOne: (has: Has) => has('probabilities'),
    command: (file: string) => `switchover order ${file}`,
  },
] as const;

type Has = (key: string) => boolean;

/** @throws UsageError it is plainly something else, which another command reads */
export function insistOnKind(
  expected: (typeof kinds)[number]['what'],
  document: unknown,
  file: string,
): void {
  if (typeof document !== 'object' || document === null) return;
  const found = kinds.find(({ isOne }) => isOne((key) => Object.hasOwn(document, key)));
  if (!found || found.what === expected) return;
  throw new UsageError([{ path: file, expected, found: found.what, meant: found.command(file) }]);
}
