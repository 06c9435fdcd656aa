import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerOrder } from '../src/core/migration/order/orders.ts';
import type { PageOrder } from '../src/core/migration/order/page-order.ts';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { plainTable } from '../src/study/tables/plain-table.ts';
import { MovedMachine } from './moved-machine.ts';

/** 48 MiB, of which 1024 pages are hot. */
const writer = { pages: 12_288, hotPages: 1024, hotPerSecond: 4000, othersPerSecond: 400 };
const rates = ['link.rate=200Mbit/s', 'link.stopRate=200Mbit/s'];
const observed = ['migration.observe=2s', 'migration.window=200ms'];
const K3 = ['migration.stop.rounds=3'];

const pieces: PageOrder = (dirty) =>
  dirty.toArray().toSorted((one, other) => (other >> 8) - (one >> 8) || one - other);
const own = [
  registerOrder({
    name: 'descending',
    describe: 'descending page number',
    order: (dirty) => dirty.toArray().reverse(),
    heat: 'none',
    dependsOnOthers: false,
  }),
  registerOrder({
    name: 'pieces',
    describe: 'descending pieces of 1 MiB',
    order: pieces,
    heat: 'none',
    dependsOnOthers: false,
  }),
  registerOrder({
    name: 'halves',
    describe: 'the upper half, then the lower',
    order: (dirty) => inHalves(dirty.toArray()),
    heat: 'none',
    dependsOnOthers: false,
  }),
];
const orders = ['address', 'random', 'lru', 'frequency', 'increasing', 'decreasing', 'threshold', ...own];
/** With parameters under which a machine of 256 MiB does not wait for minutes. */
const stopRules: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rounds: { rounds: '3' },
  downtime: {},
  xen: {},
  phaul: {},
  'cloud-hypervisor': {},
  'nova-steps': { delayPerGiB: '2s' },
  'proxmox-doubling': {},
  'kubevirt-ramp': {},
  'kubevirt-stall': {},
};

function inHalves(pages: Uint32Array): Uint32Array {
  const half = pages.length >> 1;
  return Uint32Array.from([...pages.subarray(half), ...pages.subarray(0, half)]);
}

/** Each order with and without deferral, and each stop rule: memory, order, downtime. */
export async function moves(): Promise<void> {
  const machine = await MovedMachine.boot(writer);
  const rows: (readonly string[])[] = [];
  const records: MigrationRecord[] = [];
  const one = async (what: string, settings: readonly string[]) => {
    await sleep(1_000);
    const record = await machine.move([...rates, ...observed, 'migration.verify=full', ...settings]);
    records.push(record);
    const row = rowOf(what, record, machine.said?.errors);
    rows.push(row);
    console.log(row.join(' · '));
    if (process.env.RECORDS) appendFileSync(process.env.RECORDS, `${JSON.stringify({ what, record })}\n`);
    if (record.outcome !== 'completed') throw new Error(`${what}: ${record.reason}`);
  };
  try {
    for (const order of orders) {
      await one(order, [`migration.order=${order}`, ...K3]);
      await one(`${order}, deferred`, [`migration.order=${order}`, 'migration.defer.count=1024', ...K3]);
    }
    for (const [rule, parameters] of Object.entries(stopRules)) {
      for (const order of ['address', 'threshold']) {
        const settings = Object.entries(parameters).map(([name, value]) => `migration.stop.${name}=${value}`);
        const ends = ['migration.timeout=20s', 'migration.onTimeout=stop'];
        await one(`${order}, ${rule}`, [
          `migration.order=${order}`,
          `migration.stop.rule=${rule}`,
          ...settings,
          ...ends,
        ]);
      }
    }
    for (const order of orders) {
      for (const rounds of [1, 2]) {
        await one(`${order}, ${rounds}`, [`migration.order=${order}`, `migration.stop.rounds=${rounds}`]);
      }
    }
  } finally {
    await machine.end();
  }
  console.log(plainTable(headings, rows, 1));
  console.log(summaryOf(records));
}

export const headings = [
  'move',
  'outcome',
  'rounds',
  'left',
  'downtime',
  'beyond',
  'rule→stop',
  'unasked',
  'out of place',
  'memory',
  'errors',
];

export function rowOf(what: string, record: MigrationRecord, errors: number | undefined): readonly string[] {
  const { outcome, rounds, stop, downtimeNs, verified, fidelity } = record;
  const downtime = downtimeNs - record.downtimeParts.verifyNs;
  return [
    ...[what, outcome, `${rounds.length}`, `${stop.pages}`, ms(downtime), ms(beyondNs(record))],
    ...[
      ms(fidelity?.ruleToStopNs ?? Number.NaN),
      `${fidelity?.unaskedPages}`,
      `${fidelity?.outOfPlacePages}`,
    ],
    ...[verified.memory, `${errors}`],
  ];
}

/** What the downtime has, without comparing memory, beyond its bytes at b_d. */
function beyondNs({ downtimeNs, downtimeParts, stop, fidelity, plan }: MigrationRecord): number {
  const bytes = stop.bytes + (fidelity?.deviceBytes ?? 0);
  return downtimeNs - downtimeParts.verifyNs - (bytes / plan.stopRateBytesPerSecond!) * 1e9;
}

export function summaryOf(records: readonly MigrationRecord[]): string {
  const done = records.filter(({ outcome }) => outcome === 'completed');
  const within = done.filter(
    (record) => beyondNs(record) <= 8e6 + 0.02 * (record.downtimeNs - record.downtimeParts.verifyNs),
  );
  const of = (value: (record: MigrationRecord) => number) => done.map(value);
  const waits = of(({ fidelity }) => fidelity!.ruleToStopNs!);
  return [
    `${done.length} of ${records.length} completed; memory identical ${done.filter(({ verified }) => verified.memory === 'identical').length}`,
    `pages never sent: ${of(({ fidelity }) => fidelity!.neverSentPages).reduce((sum, pages) => sum + pages, 0)}`,
    `downtime within 8 ms + 2 % of its bytes at b_d: ${within.length} of ${done.length}`,
    `rule → stop: median ${ms(quantile(waits, 0.5))}, longest ${ms(Math.max(...waits))}`,
    `unasked pages: median ${quantile(
      of(({ fidelity }) => fidelity!.unaskedPages),
      0.5,
    )}, most ${Math.max(...of(({ fidelity }) => fidelity!.unaskedPages))}`,
  ].join('\n');
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms`;
}
