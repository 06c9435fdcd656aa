import { inputLimits } from '../../core/input-limits.ts';
import { formatDuration, formatSize, NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { Happened } from '../../observe/import/happened.ts';
import type { Observation } from '../../observe/import/observation.ts';
import { impliedStopRate, liveRate, rateOf, type WorkloadFit } from './fit-observation.ts';

const DOWNTIME_LIMIT_NS: Nanos = 3e8;
/** What QEMU writes before a page of its own stream. */
const HEADER_BYTES = 8;

/** A scenario as `switchover run` takes it. */
export interface ImportedScenario {
  readonly describe: string;
  readonly guest: {
    readonly name: string;
    readonly pages: number;
    readonly pageSize: number;
    readonly zeroPages: number;
    readonly program: Pick<WorkloadFit, 'kind' | 'classes'>;
  };
  readonly link: { readonly rate: string; readonly stopRate: string; readonly overhead: number };
  readonly migration: {
    readonly order: 'address';
    readonly clear: 'round';
    readonly stop: { readonly rule: 'downtime'; readonly limit: string };
    readonly timeout?: string;
    readonly onTimeout?: 'stop';
  };
}

export interface ScenarioOfLog {
  /** null: too little is known. */
  readonly scenario: ImportedScenario | null;
  /** What was not told and had to be taken, or what the scenario does not do. */
  readonly leftOut: readonly string[];
}

/** A migration that behaves as the observed one did, without what no scenario can say. */
export function importedScenario(
  { samples, parameters }: Observation,
  happened: Happened,
  fit: WorkloadFit | null,
): ScenarioOfLog {
  const rate = liveRate(samples) ?? rateOf(parameters.maxBandwidthBytesPerSecond);
  const pages =
    parameters.totalBytes === null ? null : Math.round(parameters.totalBytes / parameters.pageSizeBytes);
  const isPageSize = Number.isInteger(Math.log2(parameters.pageSizeBytes));
  const lacking = [
    fit === null ? 'how fast the guest dirties its memory' : [],
    rate === null ? 'the bandwidth' : [],
    pages === null || pages < 2 || pages > inputLimits.guestPages || !isPageSize
      ? 'the size of the guest'
      : [],
  ].flat();
  if (fit === null || rate === null || pages === null || lacking.length > 0) {
    return { scenario: null, leftOut: [`no scenario: the log does not say ${lacking.join(', nor ')}`] };
  }
  const stopRate = impliedStopRate(samples) ?? rateOf(parameters.availableSwitchoverBandwidthBytesPerSecond);
  const written = fit.classes.reduce((sum, one) => sum + one.pages, 0);
  const limitNs = parameters.downtimeLimitNs ?? DOWNTIME_LIMIT_NS;
  const endsNs = endedNs(happened);
  return {
    scenario: {
      describe: 'A migration that was observed.',
      guest: {
        name: 'observed',
        pages,
        pageSize: parameters.pageSizeBytes,
        zeroPages: Math.max(0, Math.min(fit.zeroPages ?? 0, pages - written)),
        program: { kind: fit.kind, classes: fit.classes },
      },
      link: { rate: `${rate}B/s`, stopRate: `${stopRate ?? rate}B/s`, overhead: HEADER_BYTES },
      migration: {
        order: 'address',
        clear: 'round',
        stop: { rule: 'downtime', limit: `${limitNs / NANOS_PER_MILLISECOND}ms` },
        ...(endsNs !== undefined && { timeout: `${endsNs}ns`, onTimeout: 'stop' }),
      },
    },
    leftOut: [
      stopRate === null
        ? 'b_d: the log does not tell it, so the scenario has the bandwidth of the live rounds'
        : [],
      parameters.downtimeLimitNs === null
        ? 'the downtime limit: the log does not tell it, so 300 ms, QEMU’s default'
        : [],
      fit.zeroPages === null ? 'pages of zeros: the log does not count them' : [],
      happened.throttled ? 'auto-converge: the scenario’s guest is not throttled' : [],
      happened.phases.some(({ name }) => name.startsWith('postcopy'))
        ? 'post-copy: the scenario is pre-copy'
        : [],
      'which pages are hot, and loads that change: only how many different pages are dirtied in a time',
    ].flat(),
  };
}

/**
 * When a migration ended that the stop rule alone would not have ended: its rounds no longer shrank, or its guest was
 * throttled. The scenario stops it then. undefined: the rule ended it.
 */
function endedNs({ outcome, stalledFromNs, totalNs, downtimeNs, throttled }: Happened): Nanos | undefined {
  if (outcome !== 'completed' || totalNs === null) return undefined;
  if (stalledFromNs === null && throttled === null) return undefined;
  const endNs = Math.round(totalNs - (downtimeNs ?? 0));
  return endNs > 0 ? endNs : undefined;
}

/** The scenario as a file with comments. */
export function scenarioText(scenario: ImportedScenario, fit: WorkloadFit, { reason }: Happened): string {
  const { guest, link, migration } = scenario;
  const points = fit.points.length === 1 ? 'one point' : `${fit.points.length} points`;
  return [
    '# Written by switchover import.',
    `describe: ${scenario.describe}`,
    `# ${reason}.`,
    'guest:',
    `  name: ${guest.name}`,
    `  pages: ${guest.pages} # ${formatSize(guest.pages * guest.pageSize)}`,
    `  pageSize: ${guest.pageSize}`,
    `  zeroPages: ${guest.zeroPages}`,
    `  # Fitted to ${points} of D(e), the different pages dirtied in a time; they differ from it by ${(100 * fit.error).toFixed(1)} % (rms).`,
    '  program:',
    `    kind: ${guest.program.kind}`,
    '    classes:',
    ...guest.program.classes.map(
      ({ pages, writesPerSecond }) =>
        `      - { pages: ${pages}, writesPerSecond: ${writesPerSecond.toPrecision(4)} }`,
    ),
    'link:',
    `  rate: ${link.rate} # as measured in the live rounds`,
    `  stopRate: ${link.stopRate} # b_d, as bytes and time of the stop imply it, where they were told`,
    `  overhead: ${link.overhead}`,
    'migration:',
    `  order: ${migration.order}`,
    `  clear: ${migration.clear} # QEMU takes all dirty bits when it looks`,
    `  stop: { rule: ${migration.stop.rule}, limit: ${migration.stop.limit} }`,
    ...(migration.timeout === undefined
      ? []
      : [
          `  # ${formatDuration(Number.parseFloat(migration.timeout))}: something else than the rule ended it then.`,
          `  timeout: ${migration.timeout}`,
          `  onTimeout: ${migration.onTimeout}`,
        ]),
    '',
  ].join('\n');
}
