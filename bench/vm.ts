import { orderRegistry } from '../src/core/migration/order/orders.ts';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { stopRuleRegistry } from '../src/core/migration/stop/stops.ts';
import { formatSize, NANOS_PER_SECOND } from '../src/core/units.ts';
import { type CellResult, run } from '../src/run/run.ts';
import { type Experiment, loadExperiment } from '../src/scenario/scenario.ts';
import { parseSetting } from '../src/scenario/settings.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { experimentTable } from '../src/study/tables/table.ts';
import type { WorldName } from '../src/worlds/world-names.ts';
import { predicted } from './predicted-machine.ts';
import { rehearsal, slowdown } from './rehearsal.ts';
import { linux } from './vm-linux.ts';

/** What `npm run bench:vm` measures, each part in less than three minutes. */
export const vmParts = {
  formula,
  order,
  native,
  fixed,
  shares,
  policies,
  linux,
  rehearsal,
  slowdown,
  predicted,
};

/** The memory part of the downtime against n·(P+H)/b_d. */
async function formula(): Promise<void> {
  const results = await measured(load('22-vm-stop-rate'), 'vm');
  for (const { cell, records } of results) {
    const { stopRateBytesPerSecond: rate, pageBytes } = cell.plan;
    const expected = records.map(({ stop }) => (stop.pages * pageBytes * NANOS_PER_SECOND) / rate!);
    const off = records.map(({ downtimeParts }, i) => downtimeParts.memoryNs - expected[i]!);
    const within = off.filter((ns, i) => Math.abs(ns) <= 0.02 * expected[i]! + 5e6).length;
    console.log(
      [
        `b_d ${formatSize(rate!)}/s: ${median(records.map(({ stop }) => stop.pages))} pages`,
        `formula ${ms(median(expected))}, memory part ${ms(median(records.map((r) => r.downtimeParts.memoryNs)))}`,
        `off by ${ms(Math.min(...off))} to ${ms(Math.max(...off))}; within 2 % + 5 ms: ${within} of ${records.length}`,
        `of the reservation ${percentOf(records.map(({ link }) => link.utilisation ?? 1))} used, the rest lost to a full bucket; woken at most ${ms(Math.max(...records.map(({ link }) => link.longestLatenessNs)))} late, the bucket covers ${ms((cell.plan.depthBytes / rate!) * NANOS_PER_SECOND)}`,
      ].join('; '),
    );
  }
}

async function order(): Promise<void> {
  const results = await measured(load('21-vm-page-order'), 'vm');
  for (const { cell, records } of results) {
    const pages = records.map(({ stop }) => stop.pages);
    console.log(`${JSON.stringify(cell.settings[0]?.value)}: pages left ${spreadOf(pages)}`);
  }
}

/** The same guest, moved by us and by QEMU at the same b, each also with its own means. */
async function native(): Promise<void> {
  const means = {
    vm: 'vm: [{}, {delta: true}]',
    'qemu-native': 'qemu: [{}, {xbzrle: 64MiB}, {multifd: 2}, {autoConverge: true}]',
  } as const;
  const settings = ['migration.order=threshold', 'runs=10', 'link.stopRate=128MiB/s', 'link.depth=512KiB'];
  for (const world of ['vm', 'qemu-native'] as const) {
    const compare = `compare={${means[world]}}`;
    const results = await measured(load('21-vm-page-order', ...settings, compare), world);
    for (const { cell, records } of results) {
      const window = median(records.map(({ link }) => link.windows[1]!.mostBytes));
      console.log(
        `\n${JSON.stringify(cell.settings[0]!.value)}: bytes ${formatSize(median(records.map(({ link }) => link.sentBytes)))}; most in 100 ms, the stop included: ${formatSize(window)}`,
      );
      for (const { downtimeNs, outage, notes } of records) {
        console.log(
          `downtime ${ms(downtimeNs)}, client's longest gap ${ms(outage?.longestGapNs ?? 0)}; ${notes.join('; ')}`,
        );
      }
    }
  }
}

/** From the stop to running elsewhere with nothing dirty, by part. */
async function fixed(): Promise<void> {
  const settings = [
    ...[
      'compare={}',
      'runs=10',
      'link.rate=unlimited',
      'link.stopRate=unlimited',
      'migration.verify=checksums',
    ],
    ...['guest.program={kind: sequential, pages: 1, writesPerSecond: 1}'],
  ];
  await measured(load('22-vm-stop-rate', ...settings), 'vm');
}

/** The dirty rate and the downtime by the share of a processor that the kernel reserves for the guest. */
async function shares(): Promise<void> {
  const results = await measured(load('23-vm-cpu'), 'vm');
  for (const { cell, records } of results) {
    const { budgetNs, periodNs } = cell.cpu.guest!;
    console.log(
      `${(100 * budgetNs) / periodNs} %: pages left ${spreadOf(records.map(({ stop }) => stop.pages))}`,
    );
  }
}

/** Every page order and every stop rule once, and whether all bytes arrived. */
async function policies(): Promise<void> {
  const orders = orderRegistry.all.map(({ name, pagesMax }) => [
    `migration.order=${name}`,
    ...small(pagesMax),
  ]);
  const rules = stopRuleRegistry.names.map((rule) => [
    `migration.stop={rule: ${rule}}`,
    ...small(MOST_PAGES),
  ]);
  for (const settings of [...orders, ...rules]) {
    const experiment = load('21-vm-page-order', 'compare={}', 'runs=1', 'migration.verify=full', ...settings);
    const [result] = await run(experiment, { world: 'vm' });
    const { outcome, reason, rounds, stop, verified, outage } = result!.records[0]!;
    console.log(
      [
        settings[0],
        `${outcome} (${reason}), ${rounds.length} rounds, ${stop.pages} pages left`,
        `memory ${verified.memory}, continued ${verified.continued}`,
        `heartbeats lost ${outage?.lostHeartbeats}, repeated ${outage?.repeatedHeartbeats}`,
      ].join('; '),
    );
  }
}

const MOST_PAGES = 1_500;

function small(most = MOST_PAGES): readonly string[] {
  const pages = Math.min(most, MOST_PAGES);
  const program = `{kind: zipf, pages: ${pages}, writesPerSecond: 300}`;
  return [
    `guest.pages=${pages}`,
    `guest.program=${program}`,
    'migration.observe=400ms',
    'migration.timeout=5s',
  ];
}

function load(name: string, ...settings: readonly string[]): Experiment {
  return loadExperiment(`config/${name}.yaml`, settings.map(parseSetting));
}

async function measured(experiment: Experiment, world: WorldName): Promise<readonly CellResult[]> {
  const results = await run(experiment, { world });
  console.log(`${experiment.describe}\n${experimentTable(results, world)}`);
  parts(results.flatMap(({ records }) => records));
  return results;
}

function parts(records: readonly MigrationRecord[]): void {
  const names = ['dirtyScanNs', 'memoryNs', 'stateNs', 'verifyNs', 'commitNs', 'resumeNs'] as const;
  const shown = names.map(
    (name) => `${name.slice(0, -2)} ${ms(median(records.map(({ downtimeParts }) => downtimeParts[name])))}`,
  );
  console.log(`parts, medians: ${shown.join(', ')}`);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function percentOf(parts: readonly number[]): string {
  return `${(100 * Math.min(...parts)).toFixed(1)} to ${(100 * Math.max(...parts)).toFixed(1)} %`;
}

function spreadOf(values: readonly number[]): string {
  return `${median(values)} (${Math.min(...values)}–${Math.max(...values)})`;
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms`;
}
