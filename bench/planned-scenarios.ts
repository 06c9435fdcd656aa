import { join } from 'node:path';
import { readLogs } from '../src/observe/import/read-logs.ts';
import { packageFolder } from '../src/platform/package.ts';
import { importReport } from '../src/run/import/import-report.ts';

/** A scenario to be planned, as a file would have it, and its target. */
export interface PlannedScenario {
  readonly name: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly target: string;
}

const classes = (...pairs: readonly (readonly [pages: number, writesPerSecond: number])[]) => ({
  kind: 'classes',
  classes: pairs.map(([pages, writesPerSecond]) => ({ pages, writesPerSecond })),
});

const recording = (name: string, pages: number) => ({
  pages,
  program: { kind: 'trace', file: join(packageFolder, 'traces', `${name}.ndjson.gz`) },
});

/** The machine that a log tells of, as `plan --from` takes it. */
const imported = (run: string) => {
  const log = join(packageFolder, 'test/fixtures/import/qemu-ycsb', run, 'mig-stats-run-2.json.gz');
  const { guest, migration } = importReport(readLogs([log])).scenario!;
  const { order, clear } = migration;
  return { guest: { ...guest }, migration: { order, clear } };
};

/** Guests with a link that is enough, targets of the downtime from easy to hard, and one of the total. */
const guests = {
  slides: {
    guest: { pages: 6500, program: classes([286, 16.8], [397, 2.46], [383, 0.465], [5434, 1.5e-5]) },
    link: { capacity: '100Mbit/s', rate: '50Mbit/s', overhead: 0, depth: '4KiB' },
    migration: { heat: 'known' },
    total: '5s',
    limits: ['400ms', '250ms', '200ms', '150ms', '120ms'],
  },
  small: {
    guest: { pages: 1500, program: classes([150, 8], [1350, 0.01]) },
    link: { capacity: '100Mbit/s', rate: '20Mbit/s' },
    migration: { heat: 'known', observe: '0s' },
    total: '1s',
    limits: ['200ms', '100ms', '70ms', '40ms'],
  },
  busy: {
    guest: { pages: 8192, program: classes([1000, 40], [2000, 1], [5192, 0.001]) },
    link: { capacity: '1Gbit/s', rate: '300Mbit/s' },
    migration: { order: 'lru' },
    total: '1s',
    limits: ['200ms', '100ms', '40ms', '35ms'],
  },
  zipf: {
    guest: { pages: 8192, program: { kind: 'zipf', writesPerSecond: 5000 } },
    link: { capacity: '500Mbit/s', rate: '200Mbit/s' },
    migration: {},
    total: '2s',
    limits: ['200ms', '100ms', '60ms', '40ms', '30ms'],
  },
  stream: {
    guest: {
      pages: 4096,
      program: { kind: 'stream', cpuPerFrame: '9ms', pagesPerFrame: 200, buffers: 1200 },
      reservation: { budget: '4ms', period: '10ms' },
    },
    sender: { cpuPerPage: '50us', cpuPerHandover: '3ms' },
    background: [{ kind: 'cpu-hog', count: 3 }],
    link: { rate: '1Gbit/s' },
    migration: { order: 'random' },
    total: '2s',
    limits: ['200ms', '150ms', '120ms', '90ms', '70ms'],
  },
  vlc: {
    guest: recording('vlc-http-stream', 12_928),
    link: { capacity: '200Mbit/s', rate: '100Mbit/s' },
    migration: {},
    total: '6s',
    limits: ['400ms', '250ms', '150ms', '70ms'],
  },
  redis: {
    guest: recording('redis-zipf-set', 10_959),
    link: { capacity: '500Mbit/s', rate: '200Mbit/s' },
    migration: {},
    total: '2s',
    limits: ['800ms', '500ms', '300ms', '150ms'],
  },
  ffmpeg: {
    guest: recording('ffmpeg-transcode', 31_604),
    link: { capacity: '4Gbit/s', rate: '1Gbit/s' },
    migration: {},
    total: '1s',
    limits: ['600ms', '400ms', '200ms'],
  },
  converging: {
    ...imported('Precopy_Convergent'),
    link: { capacity: '10Gbit/s', rate: '1Gbit/s' },
    total: '20s',
    limits: ['300ms', '100ms', '30ms'],
  },
  endless: {
    ...imported('Precopy_Nonconvergent_16T'),
    link: { capacity: '10Gbit/s', rate: '1Gbit/s' },
    total: '20s',
    limits: ['300ms', '100ms', '50ms'],
  },
} as const;

const PROBABILITIES = [0.95, 0.9, 0.99];

/** Forty of them; every fourth has a limit of the total too, which the plan's time-out would not keep. */
export const plannedScenarios: readonly PlannedScenario[] = Object.entries(guests)
  .flatMap(([name, { limits, total, ...document }]) =>
    limits.map((limit) => ({ name, limit, total, document })),
  )
  .map(({ name, limit, total, document }, index) => {
    const probability = PROBABILITIES[index % PROBABILITIES.length]!;
    const whole = index % 4 === 3 ? `, total<=${total}@0.95` : '';
    return { name: `${name} ${limit}`, document, target: `downtime<=${limit}@${probability}${whole}` };
  });

/** Two for real virtual machines. */
export const machineScenarios: readonly PlannedScenario[] = [
  {
    name: 'written 32 MiB',
    document: {
      guest: { pages: 8000, program: classes([500, 10], [2500, 0.4]) },
      link: { capacity: '64MiB/s', rate: '32MiB/s', depth: '128KiB' },
      migration: { observe: '1s', window: '40ms', order: 'threshold' },
    },
    target: 'downtime<=300ms@0.95',
  },
  {
    name: 'mostly zeros 128 MiB',
    document: {
      guest: { pages: 32512, zeroPages: 24000, program: classes([3000, 2]) },
      link: { capacity: '128MiB/s', rate: '64MiB/s', depth: '128KiB' },
      migration: { observe: '0s', order: 'address' },
    },
    target: 'downtime<=500ms@0.9',
  },
];
