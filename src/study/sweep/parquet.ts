import { type ColumnSource, fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { inputLimits } from '../../core/input-limits.ts';
import { partsOf } from '../../core/migration/migration-result.ts';
import { linesOf } from '../../platform/lines.ts';
import { type PendingFile, writeWhole } from '../../platform/pending-file.ts';
import { sumOf } from '../statistics/sum.ts';
import type { Design } from './design.ts';
import { resultFiles } from './folder.ts';
import type { SweepRecord } from './prepared-cells.ts';

/** One column: what it says of a record. */
interface Column {
  readonly name: string;
  readonly type: 'DOUBLE' | 'STRING';
  of(record: SweepRecord): number | string | null;
}

const columns: readonly Column[] = [
  number('cell', ({ cell }) => cell.index),
  number('repetition', ({ cell }) => cell.repetition),
  number('seed', ({ seed }) => seed),
  text('outcome', ({ outcome }) => outcome),
  text('reason', ({ reason }) => reason),
  number('rounds', ({ rounds }) => rounds.length),
  number('sentPages', ({ rounds }) => sumOf(rounds, 'sentPages')),
  number('stopPages', ({ stop }) => stop.pages),
  number('downtimeNs', ({ downtimeNs }) => downtimeNs),
  number('dirtyScanNs', ({ downtimeParts }) => partsOf(downtimeParts).dirtyScanNs),
  number('memoryNs', ({ downtimeParts }) => downtimeParts.memoryNs),
  number('deviceNs', ({ downtimeParts }) => partsOf(downtimeParts).deviceNs),
  number('stateNs', ({ downtimeParts }) => downtimeParts.stateNs),
  number('verifyNs', ({ downtimeParts }) => downtimeParts.verifyNs),
  number('commitNs', ({ downtimeParts }) => downtimeParts.commitNs),
  number('resumeNs', ({ downtimeParts }) => downtimeParts.resumeNs),
  number('totalNs', ({ totalNs }) => totalNs),
  number('sentBytes', ({ link }) => link.sentBytes),
  number('longestGapNs', ({ outage }) => outage?.longestGapNs ?? null),
  number('lostHeartbeats', ({ outage }) => outage?.lostHeartbeats ?? null),
  number('lateHeartbeats', ({ outage }) => outage?.lateHeartbeats ?? null),
  number('predictedDowntimeNs', ({ predicted }) => predicted?.downtimeNs ?? null),
  number('missedPeriods', ({ servers }) => sumOf(servers, 'missedPeriods')),
  text('command', ({ cell }) => cell.command),
];

const GROUP_ROWS = 50_000;

/**
 * The records of a folder as a Parquet file: a row a run, a column for everything that the cells vary, the most wanted
 * figures after them. What lies deeper in a record is in the NDJSON only.
 * @throws Failure it cannot be written; nothing is left of it then
 */
export function writeParquet(file: string, folder: string, design: Design): void {
  const all = [...settingColumns(design), ...columns];
  const write = (pending: PendingFile) => {
    const schema = schemaFromColumnData({ columnData: sources(all, []) });
    const writer = new ParquetWriter({ writer: fileWriter(pending.path), schema });
    let rows: SweepRecord[] = [];
    const writeGroup = () => {
      if (rows.length > 0) writer.write({ columnData: sources(all, rows), rowGroupSize: GROUP_ROWS });
      rows = [];
    };
    for (const name of resultFiles(folder)) {
      for (const { text, endsAt } of linesOf(name, inputLimits.recordLineBytes)) {
        if (endsAt !== undefined && rows.push(JSON.parse(text)) === GROUP_ROWS) writeGroup();
      }
    }
    writeGroup();
    writer.finish();
  };
  writeWhole([[file, write]]);
}

/** Numbers stay numbers; anything else is written as the scenario writes it. */
function settingColumns({ axes }: Design): readonly Column[] {
  const numeric = new Map<string, boolean>();
  for (const { path, value } of axes.flat(2)) {
    numeric.set(path, (numeric.get(path) ?? true) && typeof value === 'number');
  }
  return [...numeric].map(([path, isNumeric]) => {
    const of = ({ cell }: SweepRecord) => cell.settings[path];
    if (isNumeric) return number(path, (record) => (of(record) as number | undefined) ?? null);
    return text(path, (record) => {
      const value = of(record);
      return value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
    });
  });
}

function sources(all: readonly Column[], records: readonly SweepRecord[]): ColumnSource[] {
  return all.map(({ name, type, of }) => ({ name, type, data: records.map(of), nullable: true }));
}

function number(name: string, of: (record: SweepRecord) => number | null): Column {
  return { name, type: 'DOUBLE', of };
}

function text(name: string, of: (record: SweepRecord) => string | null): Column {
  return { name, type: 'STRING', of };
}
