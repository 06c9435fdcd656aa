import { cellsOf, type ScenarioCell } from '../../../src/scenario/scenario.ts';
import { programOf, type Sample } from '../../fixtures/recordings.ts';

export const RECORDED_PAGES = 496;
const ZERO_PAGES = 16;

interface Given {
  readonly migration?: object;
  readonly startNs?: number;
}

/** A recorded guest over a link of 100 Mbit/s, which sends its memory in 0.17 s and saves up no more than a page. */
export function recordedCell(
  samples: readonly Sample[],
  { migration = {}, startNs }: Given = {},
): ScenarioCell {
  const guest = {
    pages: RECORDED_PAGES + ZERO_PAGES,
    zeroPages: ZERO_PAGES,
    program: { kind: 'sequential', writesPerSecond: 1 },
  };
  const [cell] = cellsOf({ base: { guest, link: { rate: '100Mbit/s' }, migration }, file: undefined }, []);
  const program = programOf(RECORDED_PAGES, samples);
  return {
    ...cell!,
    guest: { ...cell!.guest, program: startNs === undefined ? program : { ...program, startNs } },
    plan: { ...cell!.plan, depthBytes: cell!.plan.pageBytes },
  };
}
