import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { Failure } from '../../failure.ts';

/**
 * A shell that waits in a network namespace: a command in the middle of a hand-over takes a few milliseconds of it, where a
 * process that is started from one of our size, and has to find the namespace first, takes many.
 */
export class Shell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: NodeJS.AsyncIterator<string>;

  constructor(namespace: string) {
    this.#child = spawn('ip', ['netns', 'exec', namespace, 'sh'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', () => {});
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** One at a time. @throws Failure it did not succeed. */
  async run(command: string): Promise<void> {
    this.#child.stdin.write(`${command} >/dev/null; echo $?\n`);
    const { value, done } = await this.#lines.next();
    if (done || value !== '0') throw new Failure(`${command}: ${done ? 'no shell' : `exit code ${value}`}`);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
