import type { Cell } from '../../scenario/settings.ts';

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
export function shortened(names: readonly string[]): string[] {
  const last = names.map((name) => name.split('.').at(-1)!);
  return last.map((short, index) =>
    last.filter((other) => other === short).length === 1 ? short : names[index]!,
  );
}

function settingOf({ settings }: Cell, name: string): string {
  return flow(settings.find(({ path }) => path === name)?.value);
}

/**
 * A setting's value in words: `{ threshold: 0.3, window: 40ms }` is `threshold 0.3, window 40ms`, a reservation
 * `4ms every 10ms`.
 */
export function flow(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(flow).join('; ');
  const entries = Object.entries(value);
  if (entries.map(([key]) => key).join() === 'budget,period') {
    return entries.map(([, inner]) => flow(inner)).join(' every ');
  }
  return entries.map(([key, inner]) => `${key} ${flow(inner)}`).join(', ');
}
