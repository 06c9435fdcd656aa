import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { End } from '../../core/wire/handover.ts';
import { kill } from '../../platform/child-process.ts';
import { Failure, orFailure, reasonOf } from '../../platform/failure.ts';
import { Qmp } from '../../qemu/qmp.ts';

export const qemuProgram = 'qemu-system-x86_64';

/** A new guest; one whose memory our receiver will fill; or one that QEMU takes in whole, by its own migration. */
export type MachineRole = 'new guest' | 'receives' | 'receives by QEMU';

/** What a machine is made of. */
export interface QemuOptions {
  /** Where its memory, its sockets and its log are kept. */
  readonly folder: string;
  readonly ram: { readonly file: string; readonly lengthBytes: number };
  /** Arguments for firmware and devices. */
  readonly devices: readonly string[];
  readonly role: MachineRole;
  /** `tcg` or `kvm`, with its properties. */
  readonly accelerator: string;
  /** Whether the machine may outlive this process: only if a journal tells whose it is. */
  readonly outlives: boolean;
  /** The network namespace in which it runs, a file; without one, ours. */
  readonly namespace?: string;
}

/** One that has closed its monitor ends at once. */
const ENDS_WITHIN_MS = 500;

/** So many of its last lines are told. */
const SAID_LINES = 3;

/** A QEMU process, paused until it is told to run. */
export class Qemu {
  readonly qmp: Qmp;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;

  private constructor(child: ChildProcess, qmp: Qmp, ended: Promise<string>) {
    this.#child = child;
    this.pid = child.pid!;
    this.qmp = qmp;
    this.#ended = ended;
  }

  /** @throws Failure there is no QEMU, or it does not start; nothing has been left behind. */
  static async start(options: QemuOptions): Promise<Qemu> {
    const logFile = join(options.folder, 'log');
    const log = orFailure(`cannot write ${logFile}`, () => openSync(logFile, 'a'));
    const [program, ...args] = commandOf(options);
    // In a process group of its own: what a user types at the terminal is not meant for it.
    const child = spawn(program!, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    let ended: string | undefined;
    const ending = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve((ended = reasonOf(error))));
      child.once('exit', (code, signal) => {
        const said = lastLinesOf(logFile);
        resolve((ended ??= `QEMU has ended (${signal ?? code})${said ? `: ${said}` : ''}`));
      });
    });
    try {
      return new Qemu(child, await Qmp.connect(monitorOf(options.folder), () => ended), ending);
    } catch (cause) {
      await kill(child);
      throw ended === undefined ? cause : new Failure(ended);
    }
  }

  async enable(...capabilities: readonly string[]): Promise<void> {
    await this.qmp.execute('migrate-set-capabilities', {
      capabilities: capabilities.map((capability) => ({ capability, state: true })),
    });
  }

  /** @throws Failure the migration has failed, or does not come to its end. */
  async migrationCompleted(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    for (;;) {
      const { status = 'none' } = await this.#migrationStatus();
      if (status === 'completed') return;
      if (status === 'failed' || status === 'cancelled' || performance.now() > until) {
        throw new Failure(`QEMU's migration: ${status}`);
      }
      await sleep(1);
    }
  }

  /** @throws Failure how QEMU has ended, if it has: that says more than that it does not answer */
  async #migrationStatus(): Promise<{ readonly status?: string }> {
    try {
      return await this.qmp.execute('query-migrate');
    } catch (cause) {
      const ended = await Promise.race([this.#ended, sleep(ENDS_WITHIN_MS)]);
      throw ended === undefined ? cause : new Failure(ended);
    }
  }

  /** Without waiting for it. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async end(): Promise<void> {
    this.qmp.close();
    await kill(this.#child);
  }
}

/** QEMU says what was wrong first, and last that it ends. Of a folder that is gone, nothing. */
function lastLinesOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-SAID_LINES).join('; ');
  } catch {
    return undefined;
  }
}

/** A file system in memory: a machine's RAM is a file in it. */
export const MEMORY_FILES = '/dev/shm';

/** Where the machine of one end of a migration keeps its files: who knows the migration finds them after a crash. */
export function machineFolder(migration: string, end: End): string {
  return join(MEMORY_FILES, `switchover-${migration}-${end}`);
}

/** Where a machine's monitor listens. */
export function monitorOf(folder: string): string {
  return join(folder, 'qmp');
}

function commandOf(options: QemuOptions): readonly string[] {
  const { folder, ram, devices, role, accelerator, outlives, namespace } = options;
  const size = ram.lengthBytes;
  return [
    ...(namespace === undefined ? [] : ['nsenter', `--net=${namespace}`]),
    // The kernel ends it with us, unless `recover` may look for it.
    ...(outlives ? [] : ['setpriv', '--pdeathsig', 'KILL']),
    qemuProgram,
    ...['-name', 'switchover,debug-threads=on'],
    ...['-machine', 'pc,memory-backend=ram,usb=off,graphics=off', '-m', `${size / 1024}k`],
    ...['-accel', accelerator],
    ...['-object', `memory-backend-file,id=ram,mem-path=${ram.file},size=${size},share=on`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    // After QEMU's own migration it runs by itself.
    ...(role === 'receives by QEMU' ? [] : ['-S']),
    ...['-qmp', `unix:${monitorOf(folder)},server=on,wait=off`],
    ...devices,
    ...(role === 'new guest' ? [] : ['-incoming', 'defer']),
  ];
}
