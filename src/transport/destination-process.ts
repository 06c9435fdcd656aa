import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { entry } from '../platform/entry.ts';
import { Failure } from '../platform/failure.ts';

/** What such a process says when it has started, or cannot. */
export type DestinationReport =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | { readonly kind: 'failed'; readonly why: string };

/** A destination in a process of its own on this host, which ends with its parent. */
export class DestinationProcess {
  readonly host: string;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, host: string, port: number) {
    this.#child = child;
    this.host = host;
    this.port = port;
  }

  /** @param program the process's, by the kind of guests that it takes. @throws Failure it does not come to listen. */
  static async start(program: string, args: readonly string[] = []): Promise<DestinationProcess> {
    const child = fork(entry(program), args, { execArgv: [] });
    const report = await new Promise<DestinationReport>((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Failure(`the destination process ended with code ${code}`)));
    });
    if (report.kind === 'failed') throw new Failure(`the destination process: ${report.why}`);
    return new DestinationProcess(child, report.host, report.port);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
