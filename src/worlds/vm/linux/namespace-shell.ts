import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { kill } from '../../../platform/child-process.ts';
import { Failure } from '../../../platform/failure.ts';

/**
 * A shell in a network namespace of its own, which has no name: it ends with the last process in it, and this shell with us,
 * so that nothing is left behind. And it waits: a command in the middle of a hand-over takes a few milliseconds,
 * where a process that is started from one of our size takes many.
 */
export class NamespaceShell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: NodeJS.AsyncIterator<string>;

  constructor() {
    const command = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh'];
    this.#child = spawn('setpriv', command, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', () => {});
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** A file, as nsenter(1) takes it; once a command has been run. */
  get namespace(): string {
    return `/proc/${this.#child.pid}/ns/net`;
  }

  /** One at a time. @throws Failure it did not succeed. */
  async run(command: string): Promise<void> {
    this.#child.stdin.write(`${command} 2>&1 | tr '\\n' ' '; echo\n`);
    const { value, done } = await this.#lines.next();
    const said = done ? 'network namespaces need root' : value.trim();
    if (said !== '') throw new Failure(`cannot set up the network of a Linux guest: ${command}: ${said}`);
  }

  end(): Promise<void> {
    return kill(this.#child);
  }
}
