import type { Random } from '../core/random.ts';
import { NANOS_PER_SECOND } from '../core/units.ts';
import { type Program, writePage } from './program.ts';

const NEXT_AT = 0;

/**
 * The writers of all pages together are one Poisson process: its instants, then whose write each one is.
 * @param writesPerSecond of all pages together
 * @param pick the page of a write, each as often as its own rate has it
 */
export function poissonProgram(writesPerSecond: number, pick: (random: Random) => number): Program {
  const meanGapNs = writesPerSecond === 0 ? Number.POSITIVE_INFINITY : NANOS_PER_SECOND / writesPerSecond;
  return {
    stepCpuNs: 0,
    ownHeartbeat: false,
    boot({ registers, random }) {
      registers[NEXT_AT] = random.exponential(meanGapNs);
    },
    nextAtNs: ({ registers }) => registers[NEXT_AT]!,
    step({ memory, registers, random }) {
      writePage(memory, pick(random), random.bits());
      registers[NEXT_AT]! += random.exponential(meanGapNs);
      return false;
    },
  };
}
