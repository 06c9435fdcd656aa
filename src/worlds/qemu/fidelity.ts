import type { Fidelity, KeptForThreads } from '../../core/migration/migration-result.ts';
import type { MachineStop } from './machine-stop.ts';
import type { PageFlow } from './page-flow.ts';

/** What could not be had exactly, as it was seen in the stream. @param stop undefined: the stream had not begun */
export function fidelityOf(
  flow: PageFlow,
  stop: MachineStop | undefined,
  mode: Fidelity['mode'],
  reservations: readonly KeptForThreads[],
): Fidelity {
  return {
    mode,
    unaskedPages: flow.asked?.unaskedPages ?? 0,
    outOfPlacePages: flow.asked?.outOfPlacePages ?? 0,
    neverSentPages: flow.neverSentPages,
    ruleToStopNs: stop?.waitedNs ?? null,
    inFlightPages: stop?.inFlightPages ?? 0,
    deviceBytes: flow.devicesAtByte === undefined ? 0 : flow.leftBytes - flow.devicesAtByte,
    reservations,
  };
}
