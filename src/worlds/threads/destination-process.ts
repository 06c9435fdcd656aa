import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { entry } from '../entry.ts';
import { Failure } from '../failure.ts';
import type { DestinationReport } from './destination-main.ts';

/** A destination in a process of its own on this host. */
export class DestinationProcess {
  readonly host: string;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, host: string, port: number) {
    this.#child = child;
    this.host = host;
    this.port = port;
  }

  static async start(): Promise<DestinationProcess> {
    const child = fork(entry('worlds/threads/destination-main'), [], { execArgv: [] });
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
