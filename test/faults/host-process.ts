import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CpuPlan } from '../../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../../src/core/migration/migration-result.ts';
import type { Plan } from '../../src/core/migration/plan.ts';
import type { End } from '../../src/core/wire/handover.ts';
import type { Limits } from '../../src/transport/limits.ts';
import type { GuestDefinition } from '../../src/workload/guest-definition.ts';
import type { GuestStatus } from '../../src/worlds/threads/host.ts';
import { root } from '../fixtures/command.ts';

export interface HostProcessOptions {
  readonly journals?: string;
  readonly limits?: Partial<Limits>;
  /** In base64. */
  readonly key?: string;
  readonly tls?: 'off' | undefined;
  readonly pages?: number;
  readonly pageSizeBytes?: number;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** In base64. */
  readonly key: string | null;
  readonly tls?: 'off' | undefined;
  readonly silenceMs?: number;
}

export interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
}

/** What it can be told, and what it answers. */
interface Commands {
  boot(definition: GuestDefinition): undefined;
  guests(): readonly GuestStatus[];
  pause(name: string): undefined;
  resume(name: string): undefined;
  hash(name: string): string;
  remove(name: string): undefined;
  cancel(name: string, why: string): boolean;
  settle(name: string, owner: End): undefined;
  migrate(name: string, plan: Plan, cpu: CpuPlan, to: Target): MigrationResult;
  held(): Held;
  close(): undefined;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(why: Error): void;
}

/** A host in a process of its own. */
export class HostProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting: Map<number, Waiting>;
  #said = 0;

  private constructor(child: ChildProcess, port: number, waiting: Map<number, Waiting>) {
    this.#child = child;
    this.port = port;
    this.#waiting = waiting;
  }

  static async start(options: HostProcessOptions): Promise<HostProcess> {
    const args = [join(root, 'build/src'), JSON.stringify(options)];
    const main = join(import.meta.dirname, 'host-main.mjs');
    // The young generation, 2 to 32 MiB as V8 likes, would hide what is held.
    const child = fork(main, args, { execArgv: ['--expose-gc', '--max-semi-space-size=1'] });
    const waiting = new Map<number, Waiting>();
    const listening = new Promise<unknown>((resolve, reject) => waiting.set(0, { resolve, reject }));
    child.on('message', ({ number, answer, why }: { number: number; answer?: unknown; why?: string }) => {
      const { resolve, reject } = waiting.get(number)!;
      waiting.delete(number);
      if (why === undefined) resolve(answer);
      else reject(new Error(why));
    });
    child.once('exit', () => {
      for (const { reject } of waiting.values()) reject(new Error('its process has ended'));
      waiting.clear();
    });
    const { port } = (await listening) as { port: number };
    return new HostProcess(child, port, waiting);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  ask<K extends keyof Commands>(
    command: K,
    ...args: Parameters<Commands[K]>
  ): Promise<ReturnType<Commands[K]>> {
    const number = ++this.#said;
    return new Promise((resolve, reject) => {
      if (!this.lives) return reject(new Error('its process has ended'));
      this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject });
      // If it has just been killed, its end, of which is heard soon, answers all that is waited for.
      this.#child.send({ number, command, args }, () => {});
    });
  }

  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name);
  }

  /** Kills it, and waits until it is gone. */
  async end(): Promise<void> {
    if (!this.lives) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
