import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { kill } from '../src/platform/child-process.ts';
import { Failure } from '../src/platform/failure.ts';
import { migrateMachine } from '../src/run/migrate-machine.ts';
import { scenarioOf } from '../src/scenario/scenario.ts';
import { parseSetting } from '../src/scenario/settings.ts';
import { LocalDestination } from '../src/worlds/qemu/local-destination.ts';
import {
  type Writer,
  type WriterSaid,
  type WritingGuest,
  writingGuest,
} from './linux-guest/writing-guest.ts';
import { type MoveCosts, moveNatively } from './native-move.ts';

const BOOTS_WITHIN_MS = 120_000;

/** QEMU 10 and where its data are: QEMU_10 names the folder in which its packages were unpacked. */
export function newerQemu(): readonly string[] {
  const root = process.env.QEMU_10;
  if (root === undefined) throw new Failure('QEMU_10 must name the folder with usr/bin of QEMU 8.2 or later');
  const data = ['usr/share/qemu', 'usr/share/seabios'].flatMap((folder) => ['-L', join(root, folder)]);
  return [join(root, 'usr/bin/qemu-system-x86_64'), ...data];
}

export interface RunningQemu {
  readonly child: ChildProcess;
  /** Of the monitor for whoever moves its machine. */
  readonly socket: string;
  /** Of another one, for whoever watches. */
  readonly watched: string;
}

/** A Linux guest with a writer that checks what it has written, moved from one QEMU to the next, again and again. */
export class MovedMachine {
  readonly #guest: WritingGuest;
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchover-moved-'));
  readonly #machine: readonly string[];
  #running: RunningQemu;
  #moves = 0;

  private constructor(guest: WritingGuest, machine: readonly string[]) {
    this.#guest = guest;
    this.#machine = machine;
    this.#running = this.#start();
  }

  /** Boots it, and waits until its writer writes. */
  static async boot(writer: Writer, machine: readonly string[] = ['-m', '256']): Promise<MovedMachine> {
    const moved = new MovedMachine(await writingGuest(writer), machine);
    for (let waited = 0; !moved.said; waited += 100) {
      if (waited > BOOTS_WITHIN_MS) throw new Failure('the guest did not boot');
      await sleep(100);
    }
    return moved;
  }

  get said(): WriterSaid | undefined {
    return this.#guest.said();
  }

  get running(): RunningQemu {
    return this.#running;
  }

  /** A new QEMU that waits for it. */
  async successor(): Promise<RunningQemu> {
    this.#moves += 1;
    const next = this.#start('-incoming', 'defer', '-S');
    while (!existsSync(next.watched)) await sleep(20);
    return next;
  }

  /** Whose it is after a move: that QEMU is the machine from now on, and the other one ends. */
  async belongsTo(owner: RunningQemu, other: RunningQemu): Promise<void> {
    this.#running = owner;
    await kill(other.child);
  }

  /** To a new QEMU. Afterwards that one is the machine, and the old one is gone. */
  async move(settings: readonly string[], mode: 'pull' | 'pass' = 'pull'): Promise<MigrationRecord> {
    const [before, next] = [this.#running, await this.successor()];
    const record = await migrateMachine({
      qmp: before.socket,
      mode,
      scenario: scenarioOf({}, { name: 'bench', file: undefined }, settings.map(parseSetting)),
      destination: () => LocalDestination.open(next.socket),
    });
    if (record.owner === 'destination') await this.belongsTo(next, before);
    else await this.belongsTo(before, next);
    return record;
  }

  /** By QEMU alone. Afterwards the new QEMU is the machine. */
  async moveNatively(rateBytesPerSecond: number | null, limitMs: number): Promise<MoveCosts> {
    this.#moves += 1;
    const next = this.#start('-incoming', 'defer');
    while (!existsSync(next.socket)) await sleep(20);
    const costs = await moveNatively(this.#running.socket, next.socket, rateBytesPerSecond, limitMs);
    await kill(this.#running.child);
    this.#running = next;
    return costs;
  }

  async end(): Promise<void> {
    await kill(this.#running.child);
    rmSync(this.#folder, { recursive: true, force: true });
    this.#guest.remove();
  }

  #start(...more: readonly string[]): RunningQemu {
    const [program, ...data] = newerQemu();
    const [socket, watched] = ['monitor', 'watched'].map((name) =>
      join(this.#folder, `${name}-${this.#moves}`),
    );
    const options = [
      ...['--pdeathsig', 'KILL', program!, ...data, '-accel', 'tcg', '-M', 'pc', ...this.#machine],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...[socket, watched].flatMap((monitor) => ['-qmp', `unix:${monitor},server=on,wait=off`]),
      ...[...this.#guest.options, ...more],
    ];
    return { child: spawn('setpriv', options, { stdio: 'ignore' }), socket: socket!, watched: watched! };
  }
}
