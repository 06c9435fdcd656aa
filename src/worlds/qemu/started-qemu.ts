import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, printable, reasonOf } from '../../platform/failure.ts';
import { foldersLeft, OwnFolder } from '../../platform/own-folder.ts';
import { connectMonitor, isMonitorThere } from '../../qemu/connect-monitor.ts';
import { Qmp } from '../../qemu/qmp.ts';
import { runState } from './settle-destination.ts';

const PREFIX = 'switchover-waiting-';
/** So long a command has until its QEMU answers at its monitor. */
const ANSWERS_WITHIN_MS = 30_000;
/** A QEMU that is told to end does so; what does not is killed. */
const ENDS_WITHIN_MS = 2_000;
/** So many of its last lines are told. */
const SAID_LINES = 3;

/**
 * A QEMU that a user's command starts, to wait for one machine. It lies in a process group of its own, and outlives this process only if
 * it is `kept`.
 */
export class StartedQemu {
  /** Of its monitor. */
  readonly socket: string;
  readonly #folder: OwnFolder;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #why: string | undefined;
  /** It has a machine, or may have: it is not for us to end. */
  isKept = false;

  private constructor(command: string, folder: OwnFolder) {
    this.#folder = folder;
    this.socket = monitorIn(folder.path);
    const log = openSync(this.#log, 'a');
    const words = `${command} -qmp unix:${this.socket},server=on,wait=off -incoming defer -S`;
    this.#child = spawn('sh', ['-c', words], { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#child.unref();
    this.#child.once('error', (cause) => this.#end(reasonOf(cause)));
    this.#child.once('exit', (code, signal) => this.#end(`it has ended (${signal ?? code})`));
    this.#ended = once(this.#child, 'close').catch(() => {});
  }

  /**
   * @param command for the shell; `-qmp … -incoming defer -S` is put behind it
   * @throws Failure in one line, with what it said last: it has ended, or its QEMU does not answer; nothing has been left behind
   */
  static async start(command: string): Promise<StartedQemu> {
    for (const folder of await foldersLeft(PREFIX)) await removeWaiting(folder);
    const started = new StartedQemu(command, await OwnFolder.make(PREFIX));
    const tooLate = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const silent = `its QEMU does not answer at its monitor within ${ANSWERS_WITHIN_MS / 1000} s`;
    try {
      const qmp = await Qmp.connect(
        started.socket,
        () => started.#why ?? (tooLate.aborted ? silent : undefined),
      );
      qmp.close();
      if (started.hasEnded)
        throw new Failure(`${started.#why}; it must stay where it is, without -daemonize`);
      return started;
    } catch (cause) {
      const said = started.#said();
      await started.end();
      throw new Failure(`--exec: ${reasonOf(cause)}${said}`);
    }
  }

  get hasEnded(): boolean {
    return this.#why !== undefined;
  }

  /** Unless it is kept: it ends, and nothing of it is left. */
  async end(): Promise<void> {
    if (this.isKept && !this.hasEnded) return;
    await quit(this.socket);
    const late = sleep(this.hasEnded ? 0 : ENDS_WITHIN_MS, undefined, { ref: false });
    await Promise.race([this.#ended, late]);
    if (!this.hasEnded) process.kill(-this.#child.pid!, 'SIGKILL');
    await this.#ended;
    this.#folder.remove();
  }

  get #log(): string {
    return join(this.#folder.path, 'said');
  }

  #end(why: string): void {
    this.#why ??= why;
  }

  #said(): string {
    const lines = readFileSync(this.#log, 'utf8').trim().split('\n').slice(-SAID_LINES);
    const text = printable(lines.join('; '));
    return text === '' ? '' : `: ${text}`;
  }
}

const monitorIn = (folder: string) => join(folder, 'qmp');

/** What a process that was killed had started: one that waits for a machine ends, and one that has a machine goes on. */
async function removeWaiting(folder: string): Promise<void> {
  const socket = monitorIn(folder);
  try {
    if (await isMonitorThere(socket)) {
      const qmp = await connectMonitor(socket);
      try {
        if ((await runState(qmp)) !== 'inmigrate') return;
        await qmp.execute('quit');
      } finally {
        qmp.close();
      }
    }
    rmSync(folder, { recursive: true, force: true });
  } catch {}
}

/** Also one that has gone into the background, where no signal reaches it. */
async function quit(socket: string): Promise<void> {
  try {
    const qmp = await Qmp.connect(socket, () => 'it does not answer');
    await qmp.execute('quit').finally(() => qmp.close());
  } catch {}
}
