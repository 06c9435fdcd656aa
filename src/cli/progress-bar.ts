import { SingleBar } from 'cli-progress';

/** A bar on standard error: how many runs are done, and the time that the others will take. */
export function progressBar(): SingleBar {
  return new SingleBar({
    format: '{bar} {value}/{total} runs, {duration_formatted}, {eta_formatted} left',
    stream: process.stderr,
    clearOnComplete: true,
    etaBuffer: 100,
  });
}
