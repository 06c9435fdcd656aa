import { join } from 'node:path';
import { packageFolder } from '../src/platform/package.ts';

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

/** Guests with a link that is enough, and targets of the downtime from easy to hard. */
const guests = {
  slides: {
    guest: { pages: 6500, program: classes([286, 16.8], [397, 2.46], [383, 0.465], [5434, 1.5e-5]) },
    link: { capacity: '100Mbit/s', rate: '50Mbit/s', overhead: 0, depth: '4KiB' },
    migration: { heat: 'known' },
    limits: ['400ms', '300ms', '250ms', '200ms', '150ms', '120ms'],
  },
  small: {
    guest: { pages: 1500, program: classes([150, 8], [1350, 0.01]) },
    link: { capacity: '100Mbit/s', rate: '20Mbit/s' },
    migration: { heat: 'known', observe: '0s' },
    limits: ['200ms', '100ms', '70ms', '50ms', '40ms'],
  },
  busy: {
    guest: { pages: 8192, program: classes([1000, 40], [2000, 1], [5192, 0.001]) },
    link: { capacity: '1Gbit/s', rate: '300Mbit/s' },
    migration: { order: 'lru' },
    limits: ['200ms', '100ms', '60ms', '40ms', '35ms'],
  },
  zipf: {
    guest: { pages: 8192, program: { kind: 'zipf', writesPerSecond: 5000 } },
    link: { capacity: '500Mbit/s', rate: '200Mbit/s' },
    migration: {},
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
    limits: ['200ms', '150ms', '120ms', '90ms', '70ms'],
  },
  vlc: {
    guest: recording('vlc-http-stream', 12_928),
    link: { capacity: '200Mbit/s', rate: '100Mbit/s' },
    migration: {},
    limits: ['400ms', '250ms', '150ms', '100ms', '70ms'],
  },
  redis: {
    guest: recording('redis-zipf-set', 10_959),
    link: { capacity: '500Mbit/s', rate: '200Mbit/s' },
    migration: {},
    limits: ['800ms', '500ms', '300ms', '200ms', '150ms'],
  },
  ffmpeg: {
    guest: recording('ffmpeg-transcode', 31_604),
    link: { capacity: '4Gbit/s', rate: '1Gbit/s' },
    migration: {},
    limits: ['600ms', '400ms', '300ms', '200ms'],
  },
} as const;

const PROBABILITIES = [0.95, 0.9, 0.99];

/** Forty of them; every fourth has a limit of the total too. */
export const plannedScenarios: readonly PlannedScenario[] = Object.entries(guests)
  .flatMap(([name, { limits, ...document }]) => limits.map((limit) => ({ name, limit, document })))
  .map(({ name, limit, document }, index) => {
    const probability = PROBABILITIES[index % PROBABILITIES.length]!;
    const total = index % 4 === 3 ? ', total<=60s@0.95' : '';
    return {
      name: `${name} ${limit}`,
      document,
      target: `downtime<=${limit}@${probability}${total}`,
    };
  });
