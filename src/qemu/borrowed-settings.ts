import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, orFailure, printable, reasonOf } from '../platform/failure.ts';
import { parseJson } from '../platform/json.ts';
import { LifeSign, lifeOf, removeSign } from '../platform/life-sign.ts';
import { processSchema } from '../platform/process-identity.ts';
import { readText, writeText } from '../platform/text-file.ts';
import { absoluteAddress } from './connect-monitor.ts';
import {
  isMigrating,
  knownMachineSchema,
  migrationStatus,
  monitorOf,
  threadsOf,
  untilIdle,
} from './known-machine.ts';
import { insistOnNoJob } from './libvirt-domain.ts';
import {
  holds,
  type MigrationSettings,
  readSettings,
  settingsNamedIn,
  writeSettings,
} from './migration-settings.ts';
import type { Qmp } from './qmp.ts';

/** What is written down before anything is set: enough to restore it after this process was killed. */
const noteSchema = z.strictObject({
  format: z.literal('switchover-settings/1'),
  ...knownMachineSchema.shape,
  process: processSchema,
  before: z.strictObject({
    capabilities: z.record(z.string(), z.boolean()),
    parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  }),
});
type Note = z.infer<typeof noteSchema>;

/** What became of settings that a process which was killed has left as they were for it. */
export interface RestoredSettings {
  readonly socket: string;
  readonly did: 'restored' | 'the machine has ended' | 'left alone';
  /** Why they were left alone. */
  readonly reason?: string;
}

/** Whose settings are borrowed. */
export interface Borrowing {
  /** Its monitor. */
  readonly socket: string;
  /** Where they are written down. Without: in this user's own folder for that. */
  readonly folder?: string | undefined;
}

/**
 * Settings of somebody's QEMU that are ours for a while. They are as before when it is over: after `restore`, or after
 * `restoreLeft` if this process is killed.
 */
export class BorrowedSettings {
  readonly before: MigrationSettings;
  readonly #qmp: Qmp;
  readonly #file: string;
  readonly #sign: LifeSign;

  private constructor(qmp: Qmp, before: MigrationSettings, file: string, sign: LifeSign) {
    this.#qmp = qmp;
    this.before = before;
    this.#file = file;
    this.#sign = sign;
  }

  /**
   * Writes down what is, and sets what is wanted.
   * @throws Failure another process has borrowed them, libvirt is busy with it, QEMU does not know one, refuses, or migrates; all is as
   * before then
   */
  static async borrow(
    qmp: Qmp,
    wanted: MigrationSettings,
    { socket, folder = settingsFolder() }: Borrowing,
  ): Promise<BorrowedSettings> {
    const path = absoluteAddress(socket);
    const file = join(folder, fileNameOf(path));
    const left = await restored(folder, file, qmp);
    if (left?.did === 'left alone') throw new Failure(`${socket}: ${left.reason}`);
    await insistOnNoJob(path);
    if (isMigrating(await migrationStatus(qmp))) throw new Failure(`${socket}: it is migrating already`);
    const before = settingsNamedIn(wanted, await readSettings(qmp));
    const sign = await LifeSign.show(folder);
    const borrowed = new BorrowedSettings(qmp, before, file, sign);
    try {
      const machine = await threadsOf(qmp);
      const note: Note = {
        ...{ format: 'switchover-settings/1', socket: path, machine },
        process: sign.process,
        before: { capabilities: { ...before.capabilities }, parameters: { ...before.parameters } },
      };
      writeText(file, JSON.stringify(note));
      await writeSettings(qmp, wanted);
      return borrowed;
    } catch (cause) {
      await borrowed.restore().catch(() => {});
      throw cause;
    }
  }

  /** Once no migration goes on. @throws Failure they are not as before; they are still written down then */
  async restore(): Promise<void> {
    await restoreTo(this.#qmp, this.before);
    rmSync(this.#file, { force: true });
    this.#sign.withdraw();
  }
}

/**
 * Restores what processes that were killed have borrowed, and written down in this folder.
 * @throws Failure the folder cannot be read
 */
export async function restoreLeft(folder: string): Promise<readonly RestoredSettings[]> {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder)).filter((name) =>
    SETTINGS_FILE.test(name),
  );
  const done = [];
  for (const name of names) {
    const settled = await restored(folder, join(folder, name));
    if (settled) done.push(settled);
  }
  return done;
}

/** Where settings are written down if nobody says where: as they do, it lasts until the next boot. Only this user may look into it. */
export function settingsFolder(): string {
  const folder = join(tmpdir(), `switchover-settings-${process.getuid?.() ?? 0}`);
  return orFailure(`cannot keep settings in ${folder}`, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Failure('it is open to others');
    return folder;
  });
}

const SETTINGS_FILE = /^[0-9a-f]{16}\.settings\.json$/;

function fileNameOf(socket: string): string {
  return `${createHash('sha256').update(socket).digest('hex').slice(0, 16)}.settings.json`;
}

/** @param qmp the monitor, if it is connected to already @returns undefined: nothing was left */
async function restored(folder: string, file: string, qmp?: Qmp): Promise<RestoredSettings | undefined> {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  const parsed = noteSchema.safeParse(parseJson(readText(file), file));
  if (!parsed.success) throw new Failure(`${file}: not what Switchover writes there; move it away`);
  const { socket, process } = parsed.data;
  const did = await settle(folder, parsed.data, qmp).catch(
    (cause): RestoredSettings => ({ socket, did: 'left alone', reason: printable(reasonOf(cause)) }),
  );
  if (did.did !== 'left alone') {
    rmSync(file, { force: true });
    removeSign(folder, process.name);
  }
  return did;
}

async function settle(folder: string, note: Note, connected?: Qmp): Promise<RestoredSettings> {
  const { socket, machine, process, before } = note;
  if ((await lifeOf(folder, process)) === 'lives') {
    return { socket, did: 'left alone', reason: `process ${process.pid} uses its migration settings` };
  }
  const isAnother = connected && (await threadsOf(connected)).join() !== machine.join();
  const qmp = connected ?? (await monitorOf(note));
  if (!qmp || isAnother) return { socket, did: 'the machine has ended' };
  try {
    await restoreTo(qmp, before);
    return { socket, did: 'restored' };
  } finally {
    if (!connected) qmp.close();
  }
}

async function restoreTo(qmp: Qmp, before: MigrationSettings): Promise<void> {
  await untilIdle(qmp);
  await writeSettings(qmp, before);
  if (!holds(before, await readSettings(qmp))) throw new Failure('QEMU has not taken its settings back');
}
