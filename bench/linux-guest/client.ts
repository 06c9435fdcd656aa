import { type ChildProcess, fork } from 'node:child_process';
import { kill } from '../../src/platform/child-process.ts';
import { Failure } from '../../src/platform/failure.ts';
import { built } from './built.ts';
import type { ClientCommand, ClientMeasurements, ClientReport } from './client-main.ts';
import type { ServiceAddress } from './initramfs.ts';

/** The client of a Linux guest's service, in the guest's network. */
export class Client {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Begins to ask as soon as the service answers. @throws Failure it does not. */
  static async start(namespace: string, { host, port }: ServiceAddress): Promise<Client> {
    const child = fork(built('client-main'), [host, String(port)], {
      execPath: 'nsenter',
      execArgv: [`--net=${namespace}`, process.execPath],
    });
    const client = new Client(child);
    const report = await client.#reported();
    if (report.kind === 'served') return client;
    await client.end();
    throw new Failure(`the guest's service: ${report.kind === 'failed' ? report.why : 'no answer'}`);
  }

  /** The longest gap counts from here. */
  watchGaps(): void {
    this.#child.send('watch gaps' satisfies ClientCommand);
  }

  /** Asks for nothing more, and compares what the service has with what it has answered. */
  async measurements(): Promise<ClientMeasurements> {
    const reported = this.#reported();
    this.#child.send('report' satisfies ClientCommand);
    const report = await reported;
    if (report.kind !== 'reported') throw new Failure("the client of the guest's service has ended");
    return report;
  }

  end(): Promise<void> {
    return kill(this.#child);
  }

  #reported(): Promise<ClientReport> {
    return new Promise((resolve) => {
      const gone = () => resolve({ kind: 'failed', why: 'its client has ended' });
      this.#child.once('exit', gone);
      this.#child.once('message', (report: ClientReport) => {
        this.#child.off('exit', gone);
        resolve(report);
      });
    });
  }
}
