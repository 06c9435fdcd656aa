import type { Command } from 'commander';
import { expected, formatDuration, parseDuration } from '../core/units.ts';
import type { Quantiles } from '../model/predicted-end.ts';
import type { Imported } from '../observe/import/formats.ts';
import { readLogs } from '../observe/import/read-logs.ts';
import { usageError } from '../platform/problem.ts';
import { knownAt, type Moment } from '../run/prediction/known-at.ts';
import type { MeasuredMachine } from '../run/prediction/measure-machine.ts';
import {
  type ObservedPrediction,
  predictObservation,
  type ToldBesides,
} from '../run/prediction/predict-observation.ts';
import { type WhatIf, whatIfs } from '../run/prediction/what-ifs.ts';
import { insisting } from '../scenario/checked.ts';
import { folded } from '../study/tables/folded.ts';
import { writeJson } from './json-output.ts';
import { addDomainOption, type MonitorOptions } from './monitor-option.ts';
import { type OutputOptions, widthOf } from './output-options.ts';
import { quantityOf } from './quantity-option.ts';
import { whole } from './scenario-options.ts';
import { print } from './standard-streams.ts';

/** A few looks for dirty pages. */
const SHORTEST_REHEARSAL_NS = 1e9;

/** Options that only matter with --from or --qmp. */
export interface ObservedOptions extends MonitorOptions {
  readonly from?: readonly string[];
  readonly rehearse?: string;
  readonly at?: string;
  readonly syncs?: string;
  readonly downtimeLimit?: string;
  readonly maxBandwidth?: string;
  readonly availSwitchoverBandwidth?: string;
  readonly stopRate?: string;
  readonly memory?: string;
  readonly autoConverge?: boolean;
}

export function addObservedOptions(command: Command): Command {
  return addDomainOption(
    command
      .option(
        '--from <file...>',
        'answer for the machine whose migration these logs tell of, instead of a scenario',
      )
      .option(
        '--qmp <socket>',
        'answer for the VM of this monitor of QEMU, which measures its dirty rate for some seconds',
      ),
  )
    .option(
      '--rehearse <time>',
      'with --qmp, find its dirty pages by a migration that is begun, read for so long and cancelled (QEMU 8.2)',
    )
    .option(
      '--at <time>',
      'with --from, from what was known then, a time since the start (default: at the end)',
    )
    .option(
      '--syncs <n>',
      'with --from, from what was known once n dirty syncs had found what the guest wrote',
    )
    .option(
      '--downtime-limit <time>',
      'with --from or --qmp, QEMU’s downtime-limit (default: as logged, or 300ms)',
    )
    .option(
      '--max-bandwidth <rate>',
      'with --from or --qmp, the rate of the live rounds (default: as measured)',
    )
    .option(
      '--avail-switchover-bandwidth <rate>',
      'with --from or --qmp, what QEMU is told that the stop will have',
    )
    .option('--stop-rate <rate>', 'with --from or --qmp, b_d, what the stop really has')
    .option('--memory <size>', 'with --from or --qmp, the size of the guest (default: as logged)')
    .option('--auto-converge', 'with --from or --qmp, it is on')
    .option('--no-auto-converge', 'with --from or --qmp, it is off (default: as logged)');
}

/** @throws UsageError an option that only matters with --from or --qmp, without them */
export function insistOnNoLog(options: ObservedOptions): void {
  insisting((insist) => {
    for (const name of names) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      insist(
        options[name] === undefined,
        flag,
        'to be used together with --from FILE or --qmp SOCKET',
        options[name],
      );
    }
  });
}

const names = [
  ...(['at', 'syncs', 'downtimeLimit', 'maxBandwidth'] as const),
  ...(['availSwitchoverBandwidth', 'stopRate', 'memory', 'autoConverge', 'rehearse'] as const),
];

/**
 * `switchover predict --from FILE…` and `--qmp SOCKET`.
 * @throws Failure as `readLogs` and `measureMachine` @throws UsageError an option that cannot be
 */
export async function predictObserved(options: ObservedOptions & OutputOptions): Promise<void> {
  const asked = toldBesides(options);
  const moment = momentOf(options);
  const { observation, missing, memoryBytes } = await observed(options);
  const told = { ...asked, memoryBytes: asked.memoryBytes ?? memoryBytes };
  const known = knownAt(observation, moment);
  if (known === undefined) {
    const [flag, value] = options.at === undefined ? ['--syncs', options.syncs] : ['--at', options.at];
    throw usageError(flag!, 'a moment that the log tells of', value);
  }
  const predicted = predictObservation(known, told);
  const changes = whatIfs(known, told);
  const answer = { ...predicted, whatIf: changes, leftOut: [...predicted.leftOut, ...missing] };
  if (writeJson(options.json, () => answer)) {
    print(folded(linesOf(predicted, changes).join('\n'), widthOf(options)));
  }
}

async function observed({
  from,
  qmp,
  rehearse,
}: ObservedOptions): Promise<Imported & Partial<MeasuredMachine>> {
  if (qmp === undefined) return readLogs(from!);
  // What speaks to QEMU is loaded only here.
  const { measureMachine } = await import('../run/prediction/measure-machine.ts');
  return measureMachine(qmp, quantityOf('duration', '--rehearse', rehearse));
}

function momentOf({ qmp, from, at, syncs, rehearse }: ObservedOptions): Moment {
  insisting((insist) => {
    insist(at === undefined || syncs === undefined, '--syncs', 'only one of --at and --syncs', syncs);
    insist(qmp === undefined || from === undefined, '--qmp', 'only one of --from and --qmp', qmp);
    insist(
      rehearse === undefined || (parseDuration(rehearse) ?? 0) >= SHORTEST_REHEARSAL_NS,
      '--rehearse',
      `${expected.duration}, at least ${formatDuration(SHORTEST_REHEARSAL_NS)}`,
      rehearse,
    );
    insist(
      rehearse === undefined || qmp !== undefined,
      '--rehearse',
      'to be used together with --qmp SOCKET',
      rehearse,
    );
    insist(
      qmp === undefined || (at ?? syncs) === undefined,
      '--qmp',
      'neither --at nor --syncs beside it',
      qmp,
    );
  });
  return {
    atNs: quantityOf('duration', '--at', at),
    syncs: syncs === undefined ? undefined : whole('--syncs', syncs),
  };
}

function toldBesides(options: ObservedOptions): ToldBesides {
  const { downtimeLimit, maxBandwidth, availSwitchoverBandwidth, stopRate, memory, autoConverge } = options;
  return {
    downtimeLimitNs: quantityOf('duration', '--downtime-limit', downtimeLimit),
    maxBandwidthBytesPerSecond: quantityOf('rate', '--max-bandwidth', maxBandwidth),
    availableSwitchoverBandwidthBytesPerSecond: quantityOf(
      'rate',
      '--avail-switchover-bandwidth',
      availSwitchoverBandwidth,
    ),
    stopRateBytesPerSecond: quantityOf('rate', '--stop-rate', stopRate),
    memoryBytes: quantityOf('size', '--memory', memory),
    autoConverge,
  };
}

function linesOf(predicted: ObservedPrediction, changes: readonly WhatIf[]): string[] {
  const { knownAtNs, syncs, endsByItself, throttle, leftOut } = predicted;
  const when = knownAtNs === null ? 'before the migration' : `at ${formatDuration(knownAtNs)}`;
  const looks = syncs === null ? '' : `, dirty-sync-count ${syncs}`;
  const auto = throttle.autoConverge === null ? 'not told' : throttle.autoConverge ? 'on' : 'off';
  return [
    `from what was known ${when}${looks}; auto-converge ${auto}`,
    ...(endsByItself === null ? [] : tableOf([{ change: 'as it is', ...predicted }, ...changes])),
    `  left out     ${leftOut.join('; ')}`,
  ];
}

function tableOf(rows: readonly WhatIf[]): string[] {
  const cells = rows.map(({ change, endsByItself, within, totalNs, downtimeNs }) => [
    change,
    percent(endsByItself),
    percent(within?.['60s'] ?? null),
    between(totalNs),
    between(downtimeNs),
  ]);
  const all = [['', 'ends by itself', 'within 60 s', 'total (90 %)', 'downtime (90 %)'], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
  );
}

function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(100 * share)} %`;
}

function between(quantiles: Quantiles | null): string {
  if (quantiles === null) return '–';
  const { p5, p50, p95 } = quantiles;
  return `${formatDuration(p50)} (${formatDuration(p5)}–${formatDuration(p95)})`;
}
