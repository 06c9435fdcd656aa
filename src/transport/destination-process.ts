import { type ChildProcess, fork } from 'node:child_process';
import { kill } from '../platform/child-process.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import type { DestinationThere } from './address.ts';

/** What such a process says when it has started, or cannot. */
type DestinationReport =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | { readonly kind: 'failed'; readonly why: string };

/** A destination in a process of its own on this host, which ends with its parent. */
export class DestinationProcess implements DestinationThere {
  readonly host: string;
  readonly port: number;
  readonly key = null;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, host: string, port: number) {
    this.#child = child;
    this.host = host;
    this.port = port;
  }

  /** @param program the process's, by the kind of guests that it takes. @throws Failure it does not come to listen. */
  static async start(program: URL, args: readonly string[] = []): Promise<DestinationProcess> {
    const child = fork(program, args, { execArgv: [] });
    const report = await new Promise<DestinationReport>((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Failure(`the destination process ended with code ${code}`)));
    });
    if (report.kind === 'failed') throw new Failure(`the destination process: ${report.why}`);
    return new DestinationProcess(child, report.host, report.port);
  }

  end(): Promise<void> {
    return kill(this.#child);
  }
}

/** What such a process does: it listens, tells its parent where, and ends with it. */
export async function serveParent(
  listen: (args: readonly string[]) => Promise<{ readonly address: { host: string; port: number } }>,
): Promise<void> {
  process.once('disconnect', () => process.exit());
  process.on('SIGINT', () => {});
  try {
    const { address } = await listen(process.argv.slice(2));
    process.send!({ kind: 'listening', ...address } satisfies DestinationReport);
  } catch (cause) {
    process.send!({ kind: 'failed', why: reasonOf(cause) } satisfies DestinationReport, () =>
      process.exit(1),
    );
  }
}
