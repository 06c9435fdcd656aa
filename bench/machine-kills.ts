import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../src/core/random.ts';
import { Failure } from '../src/platform/failure.ts';
import { restoreLeft } from '../src/qemu/borrowed-settings.ts';
import { readSettings } from '../src/qemu/migration-settings.ts';
import { Qmp } from '../src/qemu/qmp.ts';
import { plainTable } from '../src/study/tables/plain-table.ts';
import { machineJournalsIn, readMachineJournal } from '../src/worlds/qemu/machine-journal.ts';
import { settleMachines } from '../src/worlds/qemu/settle-machines.ts';
import { type Course, MoveApart, parts } from './move-apart.ts';
import { MovedMachine, type RunningQemu } from './moved-machine.ts';

const KILLS = Number(process.env.KILLS ?? 200);
const SEED = Number(process.env.SEED ?? 1);
/** 8 MiB, of which 256 pages are hot. */
const writer = { pages: 2048, hotPages: 256, hotPerSecond: 1000, othersPerSecond: 200 };
const machine = ['-m', '96'];
const MEASURED_MOVES = 2;
/** A guest that runs says so every half second. */
const RUNS_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 20;

/**
 * The relay is killed at random instants of a move, a third of them drawn from the whole of it, from the stop, and from the hand-over. Then
 * that is done which `switchover recover` does: exactly one of both machines runs, with the memory and the settings of before.
 */
export async function kills(): Promise<void> {
  const random = Random.seeded(SEED, 0);
  const moved = await MovedMachine.boot(writer, machine);
  const found = new Map<string, number>();
  let done = 0;
  try {
    const course = await courseOf(moved);
    console.log(`a move: ${parts.map((part) => `${part} ${course[part].toFixed(0)} ms`).join(', ')}`);
    for (; done < KILLS; done++) {
      const part = parts[done % parts.length]!;
      const what = await killedIn(moved, (move) => move.untilWithin(part, random.uniform() * course[part]));
      const key = `${part} · ${what}`;
      found.set(key, (found.get(key) ?? 0) + 1);
      console.log(`${done + 1}: ${key}`);
    }
  } finally {
    const rows = [...found].sort().map(([key, count]) => [...key.split(' · '), `${count}`]);
    console.log(plainTable(['killed in', 'its journal said', 'the machine', 'kills'], rows, 3));
    console.log(`${done} kills; the guest's own check found ${moved.said?.errors} errors`);
    await moved.end();
  }
}

/** How long the parts of a move take that nobody disturbs. */
async function courseOf(moved: MovedMachine): Promise<Course> {
  const courses: Course[] = [];
  for (let move = 0; move < MEASURED_MOVES; move++) {
    await inTurn(moved, async (_, apart) => {
      courses.push(await apart.whole());
      return 'destination';
    });
  }
  const mean = (part: keyof Course) =>
    courses.reduce((sum, course) => sum + course[part], 0) / courses.length;
  return { move: mean('move'), stop: mean('stop'), 'hand-over': mean('hand-over') };
}

/** @returns what the journal said, and where the machine runs after all @throws Failure what is not as it must be */
async function killedIn(moved: MovedMachine, until: (move: MoveApart) => Promise<void>): Promise<string> {
  let what = '';
  await inTurn(moved, async (journals, apart, [source, destination]) => {
    const before = JSON.stringify(await readSettings(source));
    await until(apart);
    await apart.kill();
    const [journal] = machineJournalsIn(journals);
    const said = journal ? readMachineJournal(journal).last : 'nothing';
    const moves = await settleMachines(journals);
    const settings = await restoreLeft(journals);
    const about = `journal: ${said}; ${JSON.stringify({ moves, settings })}`;
    const runs = await runningOf(source, destination);
    if (runs.length !== 1) throw new Failure(`${runs.length} of both run: ${about}`);
    if (JSON.stringify(await readSettings(source)) !== before) throw new Failure(`other settings: ${about}`);
    if (machineJournalsIn(journals).length > 0) throw new Failure(`the journal is still there: ${about}`);
    await writesOn(moved, about);
    const owner = runs[0] === source ? 'source' : 'destination';
    what = `${said} · runs at its ${owner}`;
    return owner;
  });
  return what;
}

/** @param monitors of the source, and of the destination @returns where the machine is afterwards */
type Turn = (
  journals: string,
  apart: MoveApart,
  monitors: readonly [source: Qmp, destination: Qmp],
) => Promise<'source' | 'destination'>;

/** One move to a new destination. */
async function inTurn(moved: MovedMachine, turn: Turn): Promise<void> {
  const [here, there] = [moved.running, await moved.successor()];
  const journals = mkdtempSync(join(tmpdir(), 'switchover-kills-'));
  const monitors = [await monitorOf(here), await monitorOf(there)] as const;
  const apart = new MoveApart(here.socket, there.socket, journals, monitors);
  try {
    const owner = await turn(journals, apart, monitors);
    await (owner === 'source' ? moved.belongsTo(here, there) : moved.belongsTo(there, here));
  } finally {
    await apart.kill();
    for (const monitor of monitors) monitor.close();
    rmSync(journals, { recursive: true, force: true });
  }
}

function monitorOf(qemu: RunningQemu): Promise<Qmp> {
  return Qmp.connect(qemu.watched, () => undefined);
}

/** Those that run. A source that was stopped goes on a moment after its migration has failed. */
async function runningOf(...both: readonly Qmp[]): Promise<readonly Qmp[]> {
  const until = performance.now() + RUNS_WITHIN_MS;
  for (;;) {
    const isRunning = await Promise.all(both.map(runs));
    const those = both.filter((_, index) => isRunning[index]);
    if (those.length > 0 || performance.now() > until) return those;
    await sleep(ASK_EVERY_MS);
  }
}

/** A QEMU that has ended runs nothing. */
async function runs(monitor: Qmp): Promise<boolean> {
  const status = monitor.execute<{ readonly running: boolean }>('query-status');
  return (await status.catch(() => undefined))?.running === true;
}

/** It goes on to write, and has found nothing wrong in its memory. */
async function writesOn(moved: MovedMachine, about: string): Promise<void> {
  const { seconds } = moved.said!;
  const until = performance.now() + RUNS_WITHIN_MS;
  while (moved.said!.seconds === seconds) {
    if (performance.now() > until) throw new Failure(`the guest says nothing any more: ${about}`);
    await sleep(ASK_EVERY_MS);
  }
  if (moved.said!.errors > 0) throw new Failure(`the guest's memory is not as it was left: ${about}`);
}
