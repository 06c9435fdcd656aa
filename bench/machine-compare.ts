import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageFolder } from '../src/platform/package.ts';
import { type ComparedMove, comparedFigure, comparedTable, type Method, methods } from './compared-moves.ts';
import { MovedMachine } from './moved-machine.ts';
import type { MoveCosts } from './native-move.ts';

/** 24 MiB, of which 512 pages are hot: nine in ten writes go there. */
const speeds = [1_000, 4_000, 16_000] as const;
const machineOptions = ['-m', '128'];
const RUNS = 10;
/** b and b_d: 400 Mbit/s. */
const RATE = 50e6;
/** QEMU's default. */
const LIMIT_MS = 300;
const rates = ['link.rate=400Mbit/s', 'link.stopRate=400Mbit/s', 'migration.stop.rounds=3'];
const heats = ['migration.observe=2s', 'migration.window=200ms'];

const settings: Readonly<Record<Exclude<Method, 'QEMU alone'>, readonly string[]>> = {
  'threshold, hot pages held back': [...heats, 'migration.order=threshold', 'migration.defer.count=512'],
  'coldest first': [...heats, 'migration.order=increasing'],
  address: ['migration.order=address'],
  pass: ['migration.order=address'],
};

/**
 * Orders against each other and against QEMU alone. What is measured is added to the file that COMPARED names, and what it has already is
 * not measured again; with SECONDS it ends after so long.
 */
export async function compare(): Promise<void> {
  const endMs = Date.now() + 1_000 * Number(process.env.SECONDS ?? Number.POSITIVE_INFINITY);
  for (const writesPerSecond of speeds) {
    const missing = missingOf(writesPerSecond);
    if (missing.length === 0 || Date.now() > endMs) continue;
    const writes = { hotPerSecond: 0.9 * writesPerSecond, othersPerSecond: 0.1 * writesPerSecond };
    const machine = await MovedMachine.boot({ pages: 6_144, hotPages: 512, ...writes }, machineOptions);
    try {
      for (const method of missing) {
        if (Date.now() > endMs) break;
        await sleep(500);
        const line: ComparedMove = { writesPerSecond, method, ...(await moved(machine, method)) };
        if (machine.said?.errors) throw new Error(`${method}: the guest found its memory changed`);
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
  writeFileSync(join(packageFolder, 'docs/your-vm-orders.svg'), comparedFigure(moves));
  const page = join(packageFolder, 'docs/your-vm.md');
  const [before, , after] = readFileSync(page, 'utf8').split(
    /(?<=<!-- compared -->\n)|(?=<!-- \/compared -->)/,
  );
  writeFileSync(page, `${before}${comparedTable(moves)}\n${after}`);
}

async function moved(machine: MovedMachine, method: Method): Promise<MoveCosts> {
  if (method === 'QEMU alone') return machine.moveNatively(RATE, LIMIT_MS);
  const record = await machine.move([...rates, ...settings[method]], method === 'pass' ? 'pass' : 'pull');
  if (record.outcome !== 'completed') throw new Error(`${method}: ${record.reason}`);
  const { stop, downtimeNs, totalNs } = record;
  return { pagesLeft: stop.pages, downtimeNs, totalNs };
}

/** In turns, so that what changes meanwhile meets all methods alike. */
function missingOf(writesPerSecond: number): readonly Method[] {
  const done = measured().filter((move) => move.writesPerSecond === writesPerSecond);
  const runs = Array.from({ length: RUNS }, (_, run) => run);
  return runs.flatMap((run) =>
    methods.filter((method) => done.filter((move) => move.method === method).length <= run),
  );
}

function measured(): readonly ComparedMove[] {
  if (!existsSync(file())) return [];
  const lines = readFileSync(file(), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ComparedMove);
}

function file(): string {
  const { COMPARED } = process.env;
  if (COMPARED === undefined) throw new Error('COMPARED must name the file of what is measured');
  return COMPARED;
}
