import type { Command } from 'commander';
import { type Bytes, formatDuration, formatRate, formatSize } from '../core/units.ts';
import type { Interval } from '../observe/import/observation.ts';
import { readLogs } from '../observe/import/read-logs.ts';
import { Failure } from '../platform/failure.ts';
import { writeText } from '../platform/text-file.ts';
import { liveRate } from '../run/import/fit-observation.ts';
import { type ImportReport, importReport, textOfScenario } from '../run/import/import-report.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { print } from './standard-streams.ts';

interface Options extends OutputOptions {
  readonly out?: string;
}

/** `switchover import FILE…`: what happened in a migration of a real machine, and a scenario that behaves like it. */
export function importCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '<file...>',
      'logs of one migration, packed by gzip or not; their format is told by their content',
    )
    .option('--out <file>', 'write a scenario that behaves as the migration did')
    .addOption(jsonOption())
    .addOption(wideOption())
    .action((files: readonly string[], options: Options) => exit(action(files, options)));
}

function action(files: readonly string[], options: Options): number {
  const { out, json } = options;
  const report = importReport(readLogs(files));
  const text = textOfScenario(report);
  if (out !== undefined) {
    if (text === undefined) throw new Failure(report.leftOut.find((one) => one.startsWith('no scenario'))!);
    writeText(out, text);
  }
  if (writeJson(json, () => report)) {
    print(folded(linesOf(report, out).join('\n'), widthOf(options)));
  }
  return 0;
}

function linesOf(
  { format, observation, happened, fit, leftOut, scenario }: ImportReport,
  out?: string,
): string[] {
  const { samples, dirtied, parameters, downtimeParts } = observation;
  const { outcome, totalNs, downtimeNs, syncs, phases, throttled } = happened;
  const sentBytes = samples.findLast((sample) => sample.sentBytes !== null)?.sentBytes ?? null;
  const rate = liveRate(samples);
  const line = (name: string, parts: readonly (string | null | false)[]) => {
    const told = parts.filter((part) => part !== null && part !== false);
    return told.length > 0 ? [`  ${name.padEnd(12)} ${told.join(', ')}`] : [];
  };
  const looks = dirtied.map(
    ({ exposureNs, pages }) =>
      `${between(pages, parameters.pageSizeBytes)} after ${formatDuration(exposureNs)}`,
  );
  return [
    `${format}: ${samples.length} samples`,
    ...line('outcome', [outcome, happened.reason]),
    ...line('total', [
      totalNs !== null && formatDuration(totalNs),
      sentBytes !== null && `${formatSize(sentBytes)} sent`,
      syncs !== null && `${syncs} dirty ${syncs === 1 ? 'sync' : 'syncs'}`,
    ]),
    ...line('downtime', [
      downtimeNs !== null && `${formatDuration(downtimeNs)} by the source`,
      ...downtimeParts.slice(0, 5).map(({ name, ns }) => `${name} ${formatDuration(ns)}`),
    ]),
    ...line(
      'phases',
      phases.map(({ name, fromNs, toNs }) => `${name} ${formatDuration(fromNs)}–${formatDuration(toNs)}`),
    ),
    ...line('rates', [
      rate !== null && `${formatRate(rate)} in the live rounds`,
      throttled !== null && `throttled by up to ${throttled.mostPercent} %`,
    ]),
    ...line('dirtied', looks.length > 4 ? [...looks.slice(0, 3), '…', looks.at(-1)!] : looks),
    ...line('fit', [
      fit !== null &&
        `${fit.classes.length} classes of pages, ${(100 * fit.error).toFixed(1)} % from what was usual at each exposure; single looks ${fit.spread.low.toFixed(2)} to ${fit.spread.high.toFixed(2)} times that`,
    ]),
    ...line('scenario', [scenario === null ? 'none' : (out ?? 'with --out FILE')]),
    ...(leftOut.length > 0 ? [`  left out     ${leftOut.join('; ')}`] : []),
  ];
}

/** What was not told exactly. */
function between({ low, high }: Interval, pageSizeBytes: Bytes): string {
  const [least, most] = [formatSize(low * pageSizeBytes), formatSize(high * pageSizeBytes)];
  return least === most ? most : `${least} to ${most}`;
}
