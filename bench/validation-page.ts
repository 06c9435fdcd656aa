import { type DowntimeParts, partsOf } from '../src/core/migration/migration-result.ts';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../src/core/units.ts';
import type { MachineProfile } from '../src/scenario/machine-profile.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { cellColumns } from '../src/study/tables/cell-columns.ts';
import { figure, interval, milliseconds } from '../src/study/tables/figure.ts';
import { type Agreement, agreementOf, type Figure, type Tolerance } from './agreement.ts';
import type { ValidatedCell } from './validated-scenario.ts';

/** A scenario's file, what it asks, and its cells. */
export interface Validated {
  readonly name: string;
  readonly describe: string;
  readonly world: 'threads' | 'vm';
  readonly cells: readonly ValidatedCell[];
}

/** What is compared: a heading, the figure, its quantile, and how far virtual time may be off. */
interface Comparison {
  readonly heading: string;
  readonly figure: Figure;
  readonly p: number;
  readonly tolerance: Tolerance;
}

const downtimeNs: Figure = (record) => record.downtimeNs;

const comparisons: Readonly<Record<Validated['world'], readonly Comparison[]>> = {
  threads: [
    { heading: 'downtime', figure: downtimeNs, p: 0.5, tolerance: { part: 0.05, ns: 3e6 } },
    { heading: 'its 95 % quantile', figure: downtimeNs, p: 0.95, tolerance: { part: 0.12, ns: 5e6 } },
    { heading: 'total', figure: (record) => record.totalNs, p: 0.5, tolerance: { part: 0.03, ns: 0 } },
  ],
  vm: [
    {
      heading: 'memory part',
      figure: (record) => record.downtimeParts.memoryNs,
      p: 0.5,
      tolerance: { part: 0.04, ns: 2e6 },
    },
    { heading: 'downtime', figure: downtimeNs, p: 0.5, tolerance: { part: 0.1, ns: 5e6 } },
  ],
};

/** `docs/validation.md`: what agrees, what does not, and by how much. */
export function validationPage(
  all: readonly Validated[],
  { name, machine }: MachineProfile,
  skipped: readonly string[],
): string {
  const rows = all.flatMap((scenario) => scenario.cells.map((cell) => ({ scenario, cell })));
  const ofThreads = rows.filter(({ scenario }) => scenario.world === 'threads');
  const agreeing = ofThreads.filter(({ scenario, cell }) =>
    agreementsOf(scenario, cell).every(({ agrees }) => agrees),
  );
  return [
    '# Virtual time against real migrations',
    '',
    `\`npm run validate\` wrote this page. ${measuredOn(machine)} Virtual time adds the costs of the profile '${name}', measured on ${dateOf(machine.measuredAt)}. Times are in ms. Measured figures are medians with their 95 % intervals, or, marked \`*\` and for other quantiles, with minimum and maximum. Virtual figures are of ${all[0]?.cells[0]?.virtual.length ?? 0} runs. The error is virtual less measured; **bold**: beyond what is aimed at.`,
    '',
    `In world \`threads\` all three figures of ${agreeing.length} of ${ofThreads.length} cells agree: ${aims('threads')}. In world \`vm\` the aims are ${aims('vm')}.`,
    ...all.flatMap(section),
    ...(skipped.length > 0 ? ['', '## Not measured', '', ...skipped.map((why) => `- ${why}`)] : []),
    '',
  ].join('\n');
}

function measuredOn({ processor, processors, kernel, node, loadAverage }: MachineProfile['machine']): string {
  return `The profile was measured on ${processors} × ${processor}, Linux ${kernel}, Node ${node}, at a load of ${loadAverage.toFixed(1)} by other programs.`;
}

function dateOf(iso: string): string {
  return iso.slice(0, 10);
}

function aims(world: Validated['world']): string {
  return comparisons[world]
    .map(({ heading, tolerance: { part, ns } }) => {
      const besides = ns > 0 ? ` + ${ns / NANOS_PER_MILLISECOND} ms` : '';
      return `${heading} within ${100 * part} %${besides}`;
    })
    .join(', ');
}

function section({ name, describe, world, cells }: Validated): readonly string[] {
  const { headings, values } = cellColumns(cells.map(({ cell }) => cell.settings));
  const columns = comparisons[world].flatMap(({ heading }) => [heading, 'virtual', 'error']);
  const rows = cells.map((cell) => [
    ...values(cell.cell.settings),
    ...agreementsOf({ world }, cell).flatMap(shown),
  ]);
  const parts = cells.map(({ cell, measured, virtual }) => [
    ...values(cell.settings),
    ...partNames.map((part) => `${partOf(measured, part)} / ${partOf(virtual, part)}`),
  ]);
  return [
    '',
    `## ${name}`,
    '',
    `${describe} (\`config/validation/${name}.yaml\`, world \`${world}\`, ${cells[0]!.measured.length} runs).`,
    '',
    ...markdown([...headings, ...columns], rows),
    '',
    'Medians of the parts, measured / virtual:',
    '',
    ...markdown([...headings, ...partNames.map((part) => part.replace(/Ns$/, ''))], parts),
  ];
}

function agreementsOf(
  { world }: Pick<Validated, 'world'>,
  { measured, virtual }: ValidatedCell,
): readonly Agreement[] {
  return comparisons[world].map(({ figure, p, tolerance }) =>
    agreementOf(completed(measured), completed(virtual), figure, tolerance, p),
  );
}

function completed(records: readonly MigrationRecord[]): readonly MigrationRecord[] {
  return records.filter(({ outcome }) => outcome === 'completed');
}

function shown({ measured, virtualNs, errorNs, agrees }: Agreement): readonly string[] {
  const part = (100 * errorNs) / measured.median;
  const error = `${part > 0 ? '+' : part < 0 ? '−' : ''}${Math.abs(part).toFixed(1)} %`;
  const unit = NANOS_PER_MILLISECOND;
  return [interval(measured, unit), figure(virtualNs / unit), agrees ? error : `**${error}**`];
}

const partNames = ['dirtyScanNs', 'memoryNs', 'stateNs', 'verifyNs', 'commitNs', 'resumeNs'] as const;

function partOf(
  records: readonly MigrationRecord[],
  part: keyof DowntimeParts & (typeof partNames)[number],
): string {
  const values: readonly Nanos[] = completed(records).map((record) => partsOf(record.downtimeParts)[part]);
  return milliseconds(quantile(values, 0.5));
}

function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)];
}
