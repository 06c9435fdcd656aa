import { tell } from '../platform/tell.ts';
import { CLEAR_LINE } from './progress-line.ts';

/** The exit codes by which a shell reports that a signal ended a program. */
const INTERRUPTED = 130;
const TERMINATED = 143;

/**
 * Lets Ctrl-C cancel something in an orderly way, and SIGTERM, by which a scheduler of jobs takes a machine back. A
 * second Ctrl-C does not wait for that.
 * @returns the exit code of what was carried out, unless it was interrupted
 */
export async function interruptible(
  carriedOut: (interrupted: AbortSignal) => Promise<number>,
): Promise<number> {
  const interruption = new AbortController();
  const { signal } = interruption;
  let exitCode = INTERRUPTED;
  let interrupt = () => {};
  const atOnce = new Promise<number>((resolve) => {
    interrupt = () => {
      if (signal.aborted) resolve(exitCode);
      else tell(`${process.stderr.isTTY ? CLEAR_LINE : ''}cancelling; press Ctrl-C again to end at once\n`);
      interruption.abort('cancelled by Ctrl-C');
    };
  });
  const terminate = () => {
    if (signal.aborted) return;
    tell('cancelling, because of SIGTERM\n');
    exitCode = TERMINATED;
    interruption.abort('cancelled by SIGTERM');
  };
  process.on('SIGINT', interrupt).on('SIGTERM', terminate);
  try {
    const code = await Promise.race([carriedOut(signal), atOnce]);
    return signal.aborted ? exitCode : code;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', terminate);
  }
}
