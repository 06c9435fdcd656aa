import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kill } from '../src/platform/child-process.ts';
import { Failure } from '../src/platform/failure.ts';
import { packageFolder } from '../src/platform/package.ts';
import type { Qmp } from '../src/qemu/qmp.ts';
import { machineJournalsIn, readMachineJournal } from '../src/worlds/qemu/machine-journal.ts';

const settings = [
  ...['link.rate=500Mbit/s', 'link.stopRate=50Mbit/s'],
  ...['migration.order=address', 'migration.stop.rounds=3'],
];

/** Parts of a move, each from its beginning until the machine runs at its destination. */
export const parts = ['move', 'stop', 'hand-over'] as const;
export type Part = (typeof parts)[number];
/** How long each part takes, in ms. */
export type Course = Readonly<Record<Part, number>>;

/** A move in a process of its own, as a user begins it. */
export class MoveApart {
  readonly #relay: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #runsThere: Promise<number>;
  readonly #begun: Readonly<Record<Part, Promise<number>>>;
  readonly #watcher: FSWatcher;
  #complaint = '';

  /** @param monitors other ones of the source, and of the destination */
  constructor(source: string, destination: string, journals: string, monitors: readonly [Qmp, Qmp]) {
    const ends = ['--qmp', source, '--to-qmp', destination, '--journal', journals];
    const args = [join(packageFolder, 'dist/cli/main.js'), 'migrate', ...ends];
    const relay = spawn(process.execPath, [...args, ...settings.flatMap((setting) => ['--set', setting])]);
    relay.stderr.on('data', (text: Buffer) => {
      this.#complaint += text;
    });
    this.#relay = relay;
    this.#ended = once(relay, 'exit');
    this.#runsThere = happens(monitors[1], 'RESUME').then(now);
    this.#watcher = watch(journals);
    this.#begun = {
      move: once(relay.stdout, 'data').then(now),
      stop: happens(monitors[0], 'STOP').then(now),
      'hand-over': new Promise<void>((resolve) =>
        this.#watcher.on('change', () => isHandingOver(journals) && resolve()),
      ).then(now),
    };
  }

  /** @returns how long its parts take, until the machine runs at its destination @throws Failure it has not moved the machine */
  async whole(): Promise<Course> {
    await this.#ended;
    if (this.#relay.exitCode !== 0) throw new Failure(`a move that nobody disturbs: ${this.#complaint}`);
    // A hand-over whose journal was gone before it was read took no time that anybody could see.
    const begun = (part: Part) => Promise.race([this.#begun[part], this.#runsThere]);
    const length = async (part: Part) => (await this.#runsThere) - (await begun(part));
    return { move: await length('move'), stop: await length('stop'), 'hand-over': await length('hand-over') };
  }

  /** Resolves so long after that part has begun, or when the move is over. */
  async untilWithin(part: Part, afterMs: number): Promise<void> {
    await Promise.race([this.#begun[part], this.#ended]);
    if (afterMs >= 1) await Promise.race([sleep(afterMs), this.#ended]);
  }

  async kill(): Promise<void> {
    this.#watcher.close();
    await kill(this.#relay);
  }
}

function now(): number {
  return performance.now();
}

function happens(monitor: Qmp, name: string): Promise<void> {
  return new Promise((resolve) => monitor.listen(({ event }) => event === name && resolve()));
}

/** A journal that is gone by the time it is read was that of a move that is over. */
function isHandingOver(journals: string): boolean {
  try {
    return machineJournalsIn(journals).some((file) => readMachineJournal(file).last !== 'begun');
  } catch {
    return false;
  }
}
