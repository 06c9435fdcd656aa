import { faults, type Outcome } from './faults.ts';
import { type Phase, phases } from './phases.ts';

export interface Row {
  readonly fault: string;
  readonly phase: Phase;
  readonly outcome: Outcome;
  readonly reason: string;
}

/** Fault × phase → outcome, and what the source said, in Markdown. */
export function faultTable(rows: readonly Row[]): string {
  const of = (fault: string) => rows.filter((row) => row.fault === fault);
  const cell = (fault: string, phase: Phase) =>
    distinct(of(fault).flatMap((row) => (row.phase === phase ? [row.outcome] : []))) || '–';
  const reasons = (fault: string) =>
    distinct(of(fault).flatMap(({ reason }) => (reason ? [reason] : []))) || '–';
  return [
    `| fault | ${phases.join(' | ')} |`,
    `|---|${'---|'.repeat(phases.length)}`,
    ...faults.map(({ name }) => `| ${name} | ${phases.map((phase) => cell(name, phase)).join(' | ')} |`),
    '',
    '| fault | what the source says |',
    '|---|---|',
    ...faults.map(({ name }) => `| ${name} | ${reasons(name)} |`),
  ].join('\n');
}

function distinct(texts: readonly string[]): string {
  return [...new Set(texts)].join('; ');
}
