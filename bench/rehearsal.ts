import { setTimeout as sleep } from 'node:timers/promises';
import { differentPages } from '../src/core/recording/different-pages.ts';
import type { RecordingSummary } from '../src/observe/recorder.ts';
import { recordRehearsal } from '../src/observe/rehearsed-recording.ts';
import { readSettings } from '../src/qemu/migration-settings.ts';
import { quantile } from '../src/study/statistics/estimate.ts';
import { Vcpu } from '../src/worlds/vm/vcpu.ts';
import { OthersMachine, qemu10 } from '../test/fixtures/others-machine.ts';
import { until } from '../test/fixtures/until.ts';
import { type Writer, type WriterSaid, writingGuest } from './linux-guest/writing-guest.ts';

const MEMORY_MIB = '256';
const INTERVAL_NS = 100e6;
const FOR_NS = 25e9;
const WINDOWS_S = [0.2, 0.5, 1, 2, 5, 10];
const SHORT_NS = 1e9;
const MANY = 100;
/** The first seconds send all memory. */
const LEAD_MS = 2_000;
const TURN_MS = 6_000;
const TURNS = 6;
const VERSIONS_PER_PAGE = 1_024;
const busy: Writer = { pages: 24_576, hotPages: 900, hotPerSecond: 3_500, othersPerSecond: 300 };
const saturated: Writer = { ...busy, hotPerSecond: 1e9, othersPerSecond: 0 };
const idle: Writer = { ...busy, hotPerSecond: 0, othersPerSecond: 0 };

/** Rehearsals of a Linux guest of QEMU 10 whose writes are known: what they find, cost and leave behind. */
export async function rehearsal(): Promise<void> {
  const quiet = await withGuest(idle, async (machine) => {
    const found = await recorded(machine, FOR_NS);
    console.log(`idle guest, an interval of ${INTERVAL_NS / 1e6} ms: ${costOf(found)}`);
    return found;
  });
  await withGuest(busy, async (machine, said) => {
    const before = await rateOver(said, 5_000);
    const from = said()!;
    const found = await recorded(machine, FOR_NS);
    const during = rateBetween(from, said()!);
    const after = await rateOver(said, 5_000);
    console.log(`writer: ${before} writes/s before, ${during} during, ${after} after; ${costOf(found)}`);
    for (const seconds of WINDOWS_S) {
      const [all, kernel] = [differentIn(found, seconds), differentIn(quiet, seconds)];
      const truth = differentOf(busy, seconds, during);
      const own = all - kernel;
      console.log(
        `D(${seconds} s): ${all.toFixed(0)} − ${kernel.toFixed(0)} of the kernel = ${own.toFixed(0)}, truth ${truth.toFixed(0)} (${(100 * (own / truth - 1)).toFixed(1)} %)`,
      );
    }
    await manyRehearsals(machine, said);
  });
}

/** What a guest loses that writes as fast as it can, by the CPU time that it gets: with a rehearsal and without, in turn. */
export async function slowdown(): Promise<void> {
  await withGuest(saturated, async (machine, said) => {
    const vcpu = await Vcpu.of({ pid: machine.child.pid!, qmp: machine.theirs });
    const shares: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const without = await writesPerCpuSecond(said, vcpu);
      const rehearsed = recorded(machine, LEAD_MS * 1e6 + 1.5 * TURN_MS * 1e6);
      await sleep(LEAD_MS);
      const within = await writesPerCpuSecond(said, vcpu);
      await rehearsed;
      shares.push(within / without);
    }
    const told = shares.map((share) => share.toFixed(3)).sort();
    console.log(
      `a writer that never waits: writes for each second of its CPU time, in a rehearsal over those without, ${TURNS} turns: ${told.join(', ')}`,
    );
  });
}

/** From one of the writer's reports to another. */
async function writesPerCpuSecond(said: () => WriterSaid | undefined, vcpu: Vcpu): Promise<number> {
  const reported = async (after: WriterSaid | undefined) => {
    const report = await until('the writer reports', said, (what) => what?.seconds !== after?.seconds);
    return { writes: report!.hot + report!.others, cpuNs: vcpu.usedNs() };
  };
  const from = await reported(said());
  await sleep(TURN_MS);
  const to = await reported(said());
  return (to.writes - from.writes) / ((to.cpuNs - from.cpuNs) / 1e9);
}

async function manyRehearsals(machine: OthersMachine, said: () => WriterSaid | undefined): Promise<void> {
  const settings = await readSettings(machine.theirs);
  const tookS: number[] = [];
  let changed = 0;
  for (let time = 0; time < MANY; time++) {
    const since = performance.now();
    await recorded(machine, SHORT_NS);
    tookS.push((performance.now() - since) / 1e3);
    const now = await readSettings(machine.theirs);
    if (JSON.stringify(now) !== JSON.stringify(settings)) changed += 1;
  }
  await sleep(1_000);
  const { running } = await machine.theirs.execute<{ running: boolean }>('query-status');
  console.log(
    `${MANY} rehearsals of 1 s, ${quantile(tookS, 0.5).toFixed(1)} s each (median): settings changed after ${changed}, ` +
      `the guest ${running ? 'runs' : 'does not run'}, ${said()!.errors} errors of its memory check`,
  );
}

async function withGuest<T>(
  writer: Writer,
  act: (machine: OthersMachine, said: () => WriterSaid | undefined) => Promise<T>,
): Promise<T> {
  const guest = await writingGuest(writer);
  const machine = await OthersMachine.start(qemu10, '-m', MEMORY_MIB, ...guest.options);
  try {
    await until('the writer writes', guest.said, (what) => what !== undefined, 60_000);
    await sleep(3_000);
    return await act(machine, guest.said);
  } finally {
    await machine.end();
    guest.remove();
  }
}

function recorded(machine: OthersMachine, forNs: number): Promise<RecordingSummary> {
  return recordRehearsal(
    { socket: machine.ours },
    {
      forNs,
      intervalNs: INTERVAL_NS,
      signal: new AbortController().signal,
    },
  );
}

function differentIn({ samples, numbers }: RecordingSummary, seconds: number): number {
  return differentPages(samples, numbers.pages, seconds * 1e9, INTERVAL_NS / 2) ?? Number.NaN;
}

/** Expected, at the rate at which it really wrote: of n pages that are drawn w times, n(1 − (1 − 1/n)^w). */
function differentOf({ pages, hotPages, ...rates }: Writer, seconds: number, perSecond: number): number {
  const share = perSecond / (rates.hotPerSecond + rates.othersPerSecond);
  const drawn = (n: number, times: number) => n * (1 - (1 - 1 / n) ** times);
  const kinds = [
    { of: hotPages, times: rates.hotPerSecond * share * seconds },
    { of: pages - hotPages, times: rates.othersPerSecond * share * seconds },
  ];
  // For each page it also writes a number of its own, VERSIONS_PER_PAGE of which are in one page.
  return kinds.reduce(
    (sum, { of, times }) => sum + drawn(of, times) + drawn(Math.max(1, of / VERSIONS_PER_PAGE), times),
    0,
  );
}

async function rateOver(said: () => WriterSaid | undefined, ms: number): Promise<number> {
  const from = said()!;
  await sleep(ms);
  return rateBetween(from, said()!);
}

function rateBetween(from: WriterSaid, to: WriterSaid): number {
  return Math.round((to.hot + to.others - from.hot - from.others) / (to.seconds - from.seconds));
}

function costOf({
  cpuShare,
  machineCpuShare = Number.NaN,
  scansNs,
  samples,
  missedSamples,
}: RecordingSummary) {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `${percent(cpuShare)} of a processor by us, ${percent(machineCpuShare)} by QEMU's migration; ${samples.length} samples, ${missedSamples} missed, sent within ${(quantile([...scansNs], 0.5) / 1e6).toFixed(1)} ms`;
}
