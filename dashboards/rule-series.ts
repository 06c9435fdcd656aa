import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { PanelQuery } from './check.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly expr: string }[];
  }[];
}

/**
 * The series that alerts look at. An alert on one that is never born never fires: each must be there before anything has
 * happened.
 */
export function alertSeries(
  text = readFileSync(resolve('dashboards/rules.yaml'), 'utf8'),
): readonly PanelQuery[] {
  const { groups } = parse(text) as Rules;
  return groups.flatMap(({ rules }) =>
    rules.flatMap(({ alert, expr }) =>
      alert === undefined
        ? []
        : [...expr.matchAll(/\b(?:switchover_\w+|up)(?:\{[^}]*\})?/g)].map(([series]) => {
            return { dashboard: 'alerts', panel: alert, expr: series };
          }),
    ),
  );
}
