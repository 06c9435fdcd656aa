import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../src/platform/failure.ts';
import { packageFolder } from '../src/platform/package.ts';
import {
  type ComparedMove,
  comparedFigure,
  comparedSection,
  FIGURE_FILE,
  type Method,
  missingMoves,
} from './compared-moves.ts';
import { MovedMachine } from './moved-machine.ts';
import type { MoveCosts } from './native-move.ts';

/** 24 MiB, of which 512 pages are hot: nine in ten writes go there. */
const speeds = [1_000, 4_000, 16_000] as const;
const machineOptions = ['-m', '128'];
const RUNS = 10;
/** b and b_d: 400 Mbit/s, with the token bucket that QEMU alone has too (native-move.ts). */
const RATE = 50e6;
/** QEMU's default. */
const LIMIT_MS = 300;
/** On a machine with nothing else to do a move takes 2 to 5 s. */
const LONGEST_MOVE_MS = 60_000;
const LONGEST_SILENCE_MS = 30_000;
const ASK_EVERY_MS = 50;
const rates = [
  'link.rate=400Mbit/s',
  'link.stopRate=400Mbit/s',
  'link.depth=256KiB',
  'migration.stop.rounds=3',
];
const heats = ['migration.observe=2s', 'migration.window=200ms'];

const settings: Readonly<Record<Exclude<Method, 'QEMU alone'>, readonly string[]>> = {
  'threshold, hot pages held back': [...heats, 'migration.order=threshold', 'migration.defer.count=512'],
  'coldest first': [...heats, 'migration.order=increasing'],
  address: ['migration.order=address'],
  pass: ['migration.order=address'],
};

/**
 * Orders against each other and against QEMU alone. What is measured is added to the file that COMPARED names (without it:
 * build/compared-moves.ndjson), and what it has already is not measured again; with SECONDS it ends after so long.
 */
export async function compare(): Promise<void> {
  const endMs = Date.now() + 1_000 * Number(process.env.SECONDS ?? Number.POSITIVE_INFINITY);
  for (const writesPerSecond of speeds) {
    const missing = missingMoves(measured(), writesPerSecond, RUNS);
    if (missing.length === 0 || Date.now() > endMs) continue;
    const writes = { hotPerSecond: 0.9 * writesPerSecond, othersPerSecond: 0.1 * writesPerSecond };
    const machine = await MovedMachine.boot({ pages: 6_144, hotPages: 512, ...writes }, machineOptions);
    try {
      for (const method of missing) {
        if (Date.now() > endMs) break;
        const costs = await within(moved(machine, method), `${method}: the move`);
        await guestChecks(machine, method);
        const line: ComparedMove = { writesPerSecond, method, ...costs };
        appendFileSync(file(), `${JSON.stringify(line)}\n`);
        console.log(JSON.stringify(line));
      }
    } finally {
      await machine.end();
    }
  }
}

/** Writes what was measured into docs/your-vm.md, with a picture. */
export function compared(): void {
  const moves = measured();
  if (moves.length === 0)
    throw new Failure(`${file()}: no moves; \`npm run bench:qemu -- compare\` measures them`);
  writeFileSync(join(packageFolder, 'docs', FIGURE_FILE), comparedFigure(moves));
  const page = join(packageFolder, 'docs/your-vm.md');
  const [before, , after] = readFileSync(page, 'utf8').split(
    /(?<=<!-- compared -->\n)|(?=<!-- \/compared -->)/,
  );
  writeFileSync(page, `${before}${comparedSection(moves)}\n${after}`);
}

async function moved(machine: MovedMachine, method: Method): Promise<MoveCosts> {
  if (method === 'QEMU alone') return machine.moveNatively(RATE, LIMIT_MS);
  const record = await machine.move([...rates, ...settings[method]], method === 'pass' ? 'pass' : 'pull');
  if (record.outcome !== 'completed') throw new Failure(`${method}: ${record.reason}`);
  const { stop, downtimeNs, totalNs } = record;
  return { pagesLeft: stop.pages, downtimeNs, totalNs };
}

/** Until it has written for a second since the move, and so has checked at least so many of its pages. @throws Failure one was changed */
async function guestChecks(machine: MovedMachine, method: Method): Promise<void> {
  const seconds = () => machine.said?.seconds ?? 0;
  const endMs = Date.now() + LONGEST_SILENCE_MS;
  const movedAt = seconds();
  while (seconds() <= movedAt + 1) {
    if (Date.now() > endMs) throw new Failure(`${method}: the guest says nothing after its move`);
    await sleep(ASK_EVERY_MS);
  }
  if (machine.said!.errors > 0) throw new Failure(`${method}: the guest found its memory changed`);
}

/** @throws Failure it has not ended by then */
async function within<Result>(work: Promise<Result>, what: string): Promise<Result> {
  const ended = new AbortController();
  const late = sleep(LONGEST_MOVE_MS, undefined, { signal: ended.signal }).then(() => {
    throw new Failure(`${what} did not end within ${LONGEST_MOVE_MS / 1_000} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => {});
    ended.abort();
  }
}

function measured(): readonly ComparedMove[] {
  if (!existsSync(file())) return [];
  const lines = readFileSync(file(), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ComparedMove);
}

function file(): string {
  return process.env.COMPARED ?? join(packageFolder, 'build/compared-moves.ndjson');
}
