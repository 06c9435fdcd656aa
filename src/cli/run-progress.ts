import { formatDuration, formatSize } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import type { StepListener } from '../run/drive.ts';
import type { RunListener } from '../run/run.ts';
import { alternativeName } from '../study/stress/stress-table.ts';
import { roundLog } from '../study/tables/round-log.ts';
import type { GuestSpec } from '../workload/programs.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { ProgressLine } from './progress-line.ts';

/** Less memory than this is ready before anybody wonders. */
const NOTICED_BYTES = 2 ** 30;

/**
 * Notes which round of which run has just ended. Of a fleet in virtual time there are no rounds, since all of it is computed
 * before any migration of it has ended.
 */
export function notingRounds(progress: ProgressLine, world: WorldName): Required<RunListener>['starts'] {
  return ({ cell, run, seed }) => {
    const which = cell.settings.length === 0 ? [] : [alternativeName(cell.settings)];
    const name = [`run ${run}, seed ${seed}`, ...which].join(', ');
    if (world === 'virtual' && cell.share) {
      progress.note(name);
      return undefined;
    }
    const print = (line: string) => progress.note(`${name}: ${line.trim()}`);
    return world === 'virtual' ? roundLog(print) : notingMemory(cell.guest, print, roundLog(print));
  };
}

/** Says too that a large guest's memory is being made ready, and how long that took until the migration began. */
function notingMemory(
  { pages, pageSizeBytes }: Pick<GuestSpec, 'pages' | 'pageSizeBytes'>,
  print: (line: string) => void,
  stepped: StepListener,
): StepListener {
  const bytes = pages * pageSizeBytes;
  if (bytes < NOTICED_BYTES) return stepped;
  const beganNs = clockNs();
  print(`making ${formatSize(bytes)} of memory ready at both ends`);
  let isReady = false;
  return (step, result) => {
    // The clock of a step result begins with the migration.
    if (!isReady) print(`ready after ${formatDuration(clockNs() - beganNs - result.now)}`);
    isReady = true;
    stepped(step, result);
  };
}
