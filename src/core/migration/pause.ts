import type { Nanos } from '../units.ts';
import { type DowntimeParts, downtimeParts } from './migration-result.ts';

/** How far the pause of a guest came: the instants at which one part ended and the next began. */
export interface Pause {
  readonly pausedAtNs: Nanos;
  readonly scannedAtNs?: Nanos | undefined;
  readonly sentAtNs?: Nanos | undefined;
  readonly devicesAtNs?: Nanos | undefined;
  readonly readyAtNs?: Nanos | undefined;
  readonly verifiedAtNs?: Nanos | undefined;
  readonly committedAtNs?: Nanos | undefined;
}

/** Each part, and the instant at which it ends. */
const ends = [
  ['dirtyScanNs', 'scannedAtNs'],
  ['memoryNs', 'sentAtNs'],
  ['deviceNs', 'devicesAtNs'],
  ['stateNs', 'readyAtNs'],
  ['verifyNs', 'verifiedAtNs'],
  ['commitNs', 'committedAtNs'],
] as const satisfies readonly (readonly [keyof DowntimeParts, keyof Pause])[];

/** A pause that ended at `endNs`, in its parts: all of it that came after the last known instant is the part that had begun then. */
export function partsOfPause(pause: Pause, endNs: Nanos): DowntimeParts {
  const parts: { -readonly [part in keyof DowntimeParts]?: Nanos } = {};
  let fromNs = pause.pausedAtNs;
  for (const [part, end] of ends) {
    const atNs = pause[end];
    parts[part] = (atNs ?? endNs) - fromNs;
    if (atNs === undefined) return downtimeParts(parts);
    fromNs = atNs;
  }
  return downtimeParts({ ...parts, resumeNs: endNs - fromNs });
}
