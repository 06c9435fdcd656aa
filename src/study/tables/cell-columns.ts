import type { Setting } from '../../scenario/settings.ts';

/** The columns that tell cells apart: what their settings vary. */
export function cellColumns(cells: readonly (readonly Setting[])[]) {
  const names = [...new Set(cells.flat().map(({ path }) => path))];
  return {
    headings: shortened(names),
    values: (settings: readonly Setting[]) =>
      names.map((name) => flow(settings.find(({ path }) => path === name)?.value)),
  };
}

/** `migration.stop.rounds` is called `rounds`, unless another setting is too. */
export function shortened(names: readonly string[]): string[] {
  const last = names.map((name) => name.split('.').at(-1)!);
  return last.map((short, index) =>
    last.filter((other) => other === short).length === 1 ? short : names[index]!,
  );
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
