import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Reservation } from '../core/cpu/reservation.ts';
import {
  type BandwidthGroup,
  bandwidthGroupFor,
  enterBandwidthGroup,
  makeBandwidthGroup,
  removeBandwidthGroup,
} from '../platform/bandwidth-group.ts';
import { Failure, orFailure, printable, reasonOf } from '../platform/failure.ts';
import { parseJson } from '../platform/json.ts';
import { LifeSign, lifeOf, removeSign } from '../platform/life-sign.ts';
import { processSchema } from '../platform/process-identity.ts';
import { readText, writeText } from '../platform/text-file.ts';
import { setThreadAttributes, threadAttributes, threadStart } from '../platform/thread-attributes.ts';
import { type ErrorCode, setDeadline } from '../platform/thread-scheduling.ts';
import { absoluteAddress } from './connect-monitor.ts';

/** What is written down before a thread is scheduled otherwise: enough to undo it after this process was killed. */
const noteSchema = z.strictObject({
  format: z.literal('switchover-threads/1'),
  /** Of the machine's monitor, whole. */
  socket: z.string(),
  process: processSchema,
  threads: z.array(
    z.strictObject({
      thread: z.int().positive(),
      /** Its instant of beginning: another thread may have its number later. */
      started: z.int(),
      /** `struct sched_attr`, as the kernel told it. */
      before: z.string().regex(/^[0-9a-f]{96}$/),
    }),
  ),
  /** Made by us, each for a thread. */
  groups: z.array(
    z.strictObject({
      version: z.union([z.literal(1), z.literal(2)]),
      folder: z.string().regex(/\/switchover-\d+-[0-9a-f]{8}$/),
      isHandedOn: z.boolean(),
    }),
  ),
});
type Note = z.infer<typeof noteSchema>;

/** What became of threads that a process which was killed has left as it had scheduled them. */
export interface RestoredThreads {
  /** Of the monitor of their machine. */
  readonly socket: string;
  readonly did: 'restored' | 'the machine has ended' | 'left alone';
  /** Why they were left alone. */
  readonly reason?: string;
}

/**
 * Threads of somebody's QEMU that the kernel schedules as we want it for a while. They are scheduled as before when it is over: after
 * `restore`, or after `restoreThreads` if this process is killed.
 */
export class BorrowedThreads {
  readonly #file: string;
  readonly #sign: LifeSign;
  #note: Note;

  private constructor(file: string, sign: LifeSign, socket: string) {
    this.#file = file;
    this.#sign = sign;
    const { process } = sign;
    this.#note = { format: 'switchover-threads/1', socket, process, threads: [], groups: [] };
  }

  /** @param socket of the machine's monitor @throws Failure another process has borrowed them, or the folder cannot be written */
  static async of(socket: string, folder: string): Promise<BorrowedThreads> {
    const path = absoluteAddress(socket);
    const file = join(folder, fileNameOf(path));
    const left = await restored(folder, file, []);
    if (left?.did === 'left alone') throw new Failure(`${socket}: ${left.reason}`);
    return new BorrowedThreads(file, await LifeSign.show(folder), path);
  }

  /** Gives SCHED_DEADLINE to each of these threads, or to none. @returns what the kernel says against it */
  deadline(threads: readonly number[], reservation: Reservation): ErrorCode {
    const before = [];
    for (const thread of threads) {
      const [started, attributes] = [threadStart(thread), threadAttributes(thread)];
      if (started === undefined || !attributes) return started === undefined ? 'ESRCH' : 'ENOSYS';
      before.push({ thread, started, before: Buffer.from(attributes).toString('hex') });
    }
    this.#write({ threads: [...this.#note.threads, ...before] });
    for (const thread of threads) {
      const refusal = setDeadline(reservation, { reclaim: false, thread });
      if (refusal === undefined) continue;
      restoreScheduling(before);
      return refusal;
    }
    return undefined;
  }

  /** A group for a thread like this one. @throws Failure the kernel refuses it, and why */
  group(thread: number, reservation: Reservation): BandwidthGroup {
    const group = bandwidthGroupFor(thread, `switchover-${thread}-${randomBytes(4).toString('hex')}`);
    this.#write({ groups: [...this.#note.groups, group] });
    makeBandwidthGroup(group, reservation, getPriority(thread));
    return group;
  }

  /** @throws Failure the kernel refuses it, and why */
  enter(group: BandwidthGroup, thread: number): void {
    enterBandwidthGroup(group, thread);
  }

  /** @throws Failure they are not scheduled as before; it is still written down then */
  async restore(): Promise<void> {
    undo(this.#note);
    this.#note = { ...this.#note, threads: [], groups: [] };
    rmSync(this.#file, { force: true });
    this.#sign.withdraw();
  }

  #write(more: Partial<Note>): void {
    this.#note = { ...this.#note, ...more };
    writeText(this.#file, JSON.stringify(this.#note));
  }
}

/**
 * Restores what processes that were killed have borrowed, and written down in this folder.
 * @param declaredDead names of processes of which their user says that they have ended
 * @throws Failure the folder cannot be read
 */
export async function restoreThreads(
  folder: string,
  declaredDead: readonly string[] = [],
): Promise<readonly RestoredThreads[]> {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder));
  const done = [];
  for (const name of names.filter((one) => THREADS_FILE.test(one))) {
    const settled = await restored(folder, join(folder, name), declaredDead);
    if (settled) done.push(settled);
  }
  return done;
}

const THREADS_FILE = /^[0-9a-f]{16}\.threads\.json$/;

function fileNameOf(socket: string): string {
  return `${createHash('sha256').update(socket).digest('hex').slice(0, 16)}.threads.json`;
}

/** @returns undefined: nothing was left */
async function restored(
  folder: string,
  file: string,
  declaredDead: readonly string[],
): Promise<RestoredThreads | undefined> {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  const parsed = noteSchema.safeParse(parseJson(readText(file), file));
  if (!parsed.success) throw new Failure(`${file}: not what Switchover writes there; move it away`);
  const { socket, process } = parsed.data;
  const life = await lifeOf(folder, process);
  if (life === 'lives') {
    return { socket, did: 'left alone', reason: `process ${process.pid} has reserved CPU time for it` };
  }
  if (life === 'unknown' && !declaredDead.includes(process.name)) {
    const reason = `process ${process.pid} on ${process.host} may have reserved CPU time for it; if it has ended: --declare-dead ${process.name}`;
    return { socket, did: 'left alone', reason };
  }
  try {
    const did = undo(parsed.data) ? 'restored' : 'the machine has ended';
    rmSync(file, { force: true });
    removeSign(folder, process.name);
    return { socket, did };
  } catch (cause) {
    return { socket, did: 'left alone', reason: printable(reasonOf(cause)) };
  }
}

/** The other way round than it was done. @returns whether any of the threads was still there @throws Failure some are not as before */
function undo({ threads, groups }: Pick<Note, 'threads' | 'groups'>): boolean {
  const wereThere = [...groups].reverse().map(removeBandwidthGroup);
  return restoreScheduling(threads) || wereThere.some(Boolean);
}

/** @returns whether any of them was still there @throws Failure the kernel refuses it */
function restoreScheduling(threads: Note['threads']): boolean {
  const there = threads.filter(({ thread, started }) => threadStart(thread) === started);
  for (const { thread, before } of there) {
    const refusal = setThreadAttributes(thread, Buffer.from(before, 'hex'));
    if (refusal !== undefined && refusal !== 'ESRCH') {
      throw new Failure(`the kernel does not let thread ${thread} be scheduled as before (${refusal})`);
    }
  }
  return there.length > 0;
}
