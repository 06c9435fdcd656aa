import { tell } from '../platform/tell.ts';
import { CLEAR_LINE } from './progress-line.ts';

/** The exit code by which a shell reports that Ctrl-C ended a program. */
const INTERRUPTED = 130;

/**
 * Lets Ctrl-C cancel something in an orderly way. A second Ctrl-C does not wait for that.
 * @returns the exit code of what was carried out, unless it was interrupted
 */
export async function interruptible(
  carriedOut: (interrupted: AbortSignal) => Promise<number>,
): Promise<number> {
  const interruption = new AbortController();
  const { signal } = interruption;
  let interrupt = () => {};
  const atOnce = new Promise<number>((resolve) => {
    interrupt = () => {
      if (signal.aborted) resolve(INTERRUPTED);
      else tell(`${process.stderr.isTTY ? CLEAR_LINE : ''}cancelling; press Ctrl-C again to end at once\n`);
      interruption.abort('cancelled by Ctrl-C');
    };
  });
  process.on('SIGINT', interrupt);
  try {
    const code = await Promise.race([carriedOut(signal), atOnce]);
    return signal.aborted ? INTERRUPTED : code;
  } finally {
    process.off('SIGINT', interrupt);
  }
}
