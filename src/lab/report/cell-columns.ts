import type { Cell } from '../settings.ts';

/** The columns that tell the cells of an experiment apart: what its matrix varies. */
export interface CellColumns {
  readonly headings: readonly string[];
  values(result: OfCell): readonly string[];
}

interface OfCell {
  readonly cell: Cell;
}

export function cellColumns(results: readonly OfCell[]): CellColumns {
  const names = settingNames(results);
  return { headings: shortened(names), values: ({ cell }) => names.map((name) => settingOf(cell, name)) };
}

function settingNames(results: readonly OfCell[]): string[] {
  return [...new Set(results.flatMap(({ cell }) => cell.settings.map(({ path }) => path)))];
}

/** `migration.stop.rounds` is called `rounds`, unless another setting is too. */
function shortened(names: readonly string[]): string[] {
  const last = names.map((name) => name.split('.').at(-1)!);
  return last.map((short, index) =>
    last.filter((other) => other === short).length === 1 ? short : names[index]!,
  );
}

function settingOf({ settings }: Cell, name: string): string {
  const value = settings.find(({ path }) => path === name)?.value;
  return typeof value === 'object' && value !== null ? flow(value) : String(value);
}

/** `{ threshold: 0.3, window: 40ms }`, as it stands in the scenario. */
function flow(value: object): string {
  return Object.entries(value)
    .map(([key, inner]) => `${key} ${inner !== null && typeof inner === 'object' ? flow(inner) : inner}`)
    .join(', ');
}
