import { isOfPage } from '../../src/core/wire/frames.ts';
import type { PassingFrame } from './proxy.ts';

/** Instants of a migration of two live rounds, each named after the frame on the wire at that instant. */
export const phases = [
  'set-up',
  'round 1',
  'round 2',
  'stop',
  'last byte',
  'ready',
  'commit',
  'running',
] as const;
export type Phase = (typeof phases)[number];

export function isAfterCommit(phase: Phase): boolean {
  return phase === 'commit' || phase === 'running';
}

/** From the last byte of the guest on. */
export function isLate(phase: Phase): boolean {
  return phases.indexOf(phase) >= phases.indexOf('last byte');
}

/** Pages of the first round that pass before its instant. */
const PAGES_BEFORE = 40;

/** How far a migration has come, by the frames that have passed. */
export class Passage {
  frames = 0;
  pages = 0;
  #rounds = 0;
  /** Of the last frame. */
  phase: Phase = 'set-up';

  see({ way, type }: PassingFrame): void {
    this.frames += 1;
    if (way === 'to source' && type === 'round') this.#rounds += 1;
    if (isOfPage(type)) {
      this.pages += 1;
      this.phase = pagePhases[this.#rounds]!;
    } else if (type === 'stop') {
      this.phase = 'last byte';
    } else if (type === 'ready' || type === 'commit' || type === 'running') {
      this.phase = type;
    }
  }
}

/** By the rounds that have ended. */
const pagePhases: readonly Phase[] = ['round 1', 'round 2', 'stop'];

/** Says yes to the frame that marks the phase; it must be shown every frame. */
export function frameOf(phase: Phase): (frame: PassingFrame) => boolean {
  const passage = new Passage();
  return (frame) => {
    passage.see(frame);
    return passage.phase === phase && (phase !== 'round 1' || passage.pages > PAGES_BEFORE);
  };
}
