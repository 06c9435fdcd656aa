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

/** Pages of the first round that pass before its instant. */
const PAGES_BEFORE = 40;

/** Says yes to the frame that marks the phase; it must be shown every frame. */
export function frameOf(phase: Phase): (frame: PassingFrame) => boolean {
  let rounds = 0;
  let pages = 0;
  return ({ way, type }) => {
    if (way === 'to source' && type === 'round') rounds += 1;
    const isPage = type === 'page' || type === 'zero';
    if (isPage) pages += 1;
    switch (phase) {
      case 'set-up':
        return way === 'to destination' && type === 'hello';
      case 'round 1':
        return isPage && pages > PAGES_BEFORE;
      case 'round 2':
        return isPage && rounds === 1;
      case 'stop':
        return isPage && rounds === 2;
      case 'last byte':
        return type === 'stop';
      default:
        return type === phase;
    }
  };
}
