/** As a shell says of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

/**
 * Has Ctrl-C end something in good order. A second one does not wait for that.
 * @returns the exit code: what was carried out says it, unless it was interrupted
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
      else process.stderr.write('cancelling; press Ctrl-C again to end at once\n');
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
