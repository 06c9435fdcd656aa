import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Life } from '../core/life.ts';
import { Failure, Refusal, reasonOf } from './failure.ts';
import { LifeSign, lifeOf, removeSign } from './life-sign.ts';
import { makeFolders } from './paths.ts';
import { type ProcessIdentity, processSchema } from './process-identity.ts';
import { shellWord } from './shell-word.ts';

/** Of two that try at the same moment each may find the other: so often it is tried, after pauses that differ. */
const TRIES = 8;
const PAUSE_MS = 20;

/**
 * Lets one process at a time use a folder for a purpose. Each first shows its own lock file and then looks for others',
 * so of two that come at once at least one finds the other: there is no instant at which a lock is made but not yet
 * seen, and none at which one is taken over. What a process that has ended left behind counts as nothing.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #purpose: string;
  readonly #sign: LifeSign;

  private constructor(folder: string, purpose: string, sign: LifeSign) {
    this.#folder = folder;
    this.#purpose = purpose;
    this.#sign = sign;
  }

  /**
   * @param folder made if it is not there
   * @throws Refusal another process has it, or it cannot be proved that it has ended
   * @throws Failure the folder cannot be written
   */
  static async take(folder: string, purpose: string): Promise<FolderLock> {
    for (let tries = 1; ; tries++) {
      const lock = await FolderLock.#show(folder, purpose);
      const other = await lock.#other().catch((cause) => {
        lock.release();
        throw cause;
      });
      if (!other) return lock;
      lock.release();
      if (other.life === 'unknown' || tries === TRIES) throw new Refusal(refusal(folder, other));
      await sleep(PAUSE_MS * (0.5 + Math.random()));
    }
  }

  static async #show(folder: string, purpose: string): Promise<FolderLock> {
    try {
      makeFolders(folder);
    } catch (cause) {
      throw new Failure(`cannot write ${folder}: ${reasonOf(cause)}`);
    }
    const sign = await LifeSign.show(folder);
    const lock = new FolderLock(folder, purpose, sign);
    const { name } = sign.process;
    const [file, unfinished] = [lock.#fileOf(name), `${lock.#fileOf(name)}.new`];
    try {
      writeFileSync(unfinished, `${JSON.stringify(sign.process)}\n`);
      renameSync(unfinished, file);
      return lock;
    } catch (cause) {
      rmSync(unfinished, { force: true });
      lock.release();
      throw new Failure(`cannot write ${file}: ${reasonOf(cause)}`);
    }
  }

  release(): void {
    rmSync(this.#fileOf(this.#sign.process.name), { force: true });
    this.#sign.withdraw();
  }

  /** Another one that has the lock, or tries to, and may live. */
  async #other(): Promise<Holder | undefined> {
    const names = namesOf(this.#folder, this.#purpose).filter((name) => name !== this.#sign.process.name);
    let unknown: Holder | undefined;
    for (const name of names) {
      const holder = await holderOf(this.#folder, this.#fileOf(name), name);
      if (holder?.life === 'lives') return holder;
      if (holder?.life === 'unknown') unknown = holder;
      else {
        rmSync(this.#fileOf(name), { force: true });
        removeSign(this.#folder, name);
      }
    }
    return unknown;
  }

  #fileOf(name: string): string {
    return join(this.#folder, `${this.#purpose}.${name}.lock`);
  }
}

/** A process that has a lock, or tries to. */
interface Holder {
  readonly process: Pick<ProcessIdentity, 'name' | 'host' | 'pid'> | undefined;
  readonly name: string;
  readonly life: Life;
}

/**
 * Forgets the locks of a process in a folder, because its user says that it has ended.
 * @returns whether there were any. @throws Failure it lives
 */
export async function forgetLocks(folder: string, name: string): Promise<boolean> {
  const files = readdirSync(folder).filter((file) => file.endsWith(`.${name}.lock`));
  for (const file of files.map((found) => join(folder, found))) {
    if ((await holderOf(folder, file, name))?.life === 'lives') throw new Failure(livesAfterAll(name));
    rmSync(file, { force: true });
    removeSign(folder, name);
  }
  return files.length > 0;
}

export function livesAfterAll(name: string): string {
  return `${name} cannot be declared dead: it lives, it has just answered`;
}

/** The command by which a user says that a process has ended, of which that cannot be proved. */
export function declareDeadCommand(folders: readonly string[], name: string): string {
  return ['switchover recover', ...folders.map(shellWord), '--declare-dead', name].join(' ');
}

function namesOf(folder: string, purpose: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${purpose}.`) && file.endsWith('.lock'))
    .map((file) => file.slice(purpose.length + 1, -'.lock'.length));
}

/** Undefined: it has been given back meanwhile. */
async function holderOf(folder: string, file: string, name: string): Promise<Holder | undefined> {
  let process: ProcessIdentity;
  try {
    process = processSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { process: undefined, name, life: 'unknown' };
  }
  const life = await lifeOf(folder, process);
  // Whoever gives it back removes the lock first, and then the sign by which it could be asked.
  return life === 'unknown' && !existsSync(file) ? undefined : { process, name, life };
}

function refusal(folder: string, { process, name, life }: Holder): string {
  const who = process ? `process ${process.pid} on ${process.host}` : name;
  if (life === 'lives') return `${folder} is in use by ${who}`;
  return `${folder} may be in use by ${who}, which cannot be asked from here; if it has ended for certain, run '${declareDeadCommand([folder], name)}'`;
}
