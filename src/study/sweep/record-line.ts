import type { MigrationRecord } from '../../core/migration/record.ts';
import type { PreparedCell } from './prepared-cells.ts';

/** What a record of a sweep says more than that of a run. */
export type SweepRecord = MigrationRecord & {
  readonly cell: {
    readonly index: number;
    readonly repetition: number;
    readonly settings: Readonly<Record<string, unknown>>;
    /** Carries out this run again, alone. */
    readonly command: string;
  };
};

/** The record as `run --json` writes it, and at its end which cell it is of. */
export function recordLine(
  { index, settings, command }: PreparedCell,
  repetition: number,
  record: MigrationRecord,
): string {
  const cell: SweepRecord['cell'] = {
    index,
    repetition,
    settings,
    command: `${command} --seed ${record.seed}`,
  };
  return `${JSON.stringify(record).slice(0, -1)},"cell":${JSON.stringify(cell)}}\n`;
}
