import { faults, type Outcome } from './faults.ts';
import { type Phase, phases } from './phases.ts';

export interface Row {
  readonly fault: string;
  readonly phase: Phase;
  readonly outcome: Outcome;
  readonly reason: string;
}

/** Fault × phase → outcome, in Markdown. */
export function faultTable(rows: readonly Row[]): string {
  const cell = (fault: string, phase: Phase) =>
    [
      ...new Set(
        rows.filter((row) => row.fault === fault && row.phase === phase).map(({ outcome }) => outcome),
      ),
    ].join('; ') || '–';
  return [
    `| fault | ${phases.join(' | ')} |`,
    `|---|${'---|'.repeat(phases.length)}`,
    ...faults.map(({ name }) => `| ${name} | ${phases.map((phase) => cell(name, phase)).join(' | ')} |`),
  ].join('\n');
}
