import { isAfterCommit, type Phase } from './phases.ts';
import type { WireFault } from './proxy.ts';

/**
 * How a case may end, in few words. `nobody, then X`: the commit was sent and not answered (the two generals), both
 * ends stood or one ran without the other's knowledge, and `recover` said that the guest is X's.
 */
export type Outcome =
  | 'refused, source'
  | 'failed, source'
  | 'cancelled, source'
  | 'aborted, source'
  | 'completed'
  | 'nobody, then source'
  | 'nobody, then destination'
  | 'died with the source, which owns it'
  | 'died with the destination, which owns it'
  | 'the destination runs it';

/** What a fault may do besides meddling with the wire. */
export interface Powers {
  killSource(): void;
  killDestination(): void;
  /** It is thawed when the source has come to its verdict. */
  freezeDestination(): void;
  /** Twice, as an impatient user does. */
  cancel(): void;
}

export interface Fault {
  readonly name: string;
  strike(powers: Powers): WireFault;
  /** Whether an end will only notice by the other's silence. */
  readonly isSilent?: boolean;
  /** The guest may stand only for a moment. */
  readonly watched?: boolean;
  /** What may come of it in this phase; nothing: it is no fault there. */
  allowed(phase: Phase): readonly Outcome[];
}

/** Whatever goes wrong before the commit leaves the guest at the source. */
const early = (phase: Phase): readonly Outcome[] =>
  phase === 'set-up' ? ['refused, source'] : ['failed, source'];
/** A commit that does not arrive, an answer that does not. */
const lost = (phase: Phase): readonly Outcome[] => {
  if (phase === 'commit') return ['nobody, then source'];
  return phase === 'running' ? ['nobody, then destination'] : early(phase);
};
const isPaging = (phase: Phase) => phase === 'round 1' || phase === 'round 2' || phase === 'stop';
const harmless = (): readonly Outcome[] => ['completed'];

const lostAhead: Fault['allowed'] = (phase) => {
  if (phase === 'running') return ['completed'];
  return phase === 'ready' || phase === 'commit' ? ['nobody, then source'] : early(phase);
};
const lostBehind: Fault['allowed'] = (phase) =>
  isAfterCommit(phase) ? ['nobody, then destination'] : early(phase);

export const faults: readonly Fault[] = [
  {
    name: 'the link is cut',
    strike: () => (_, wire) => wire.cut(),
    allowed: lost,
  },
  {
    name: 'the link is black-holed',
    isSilent: true,
    strike: () => (_, wire) => wire.hole('to destination', 'to source'),
    allowed: lost,
  },
  {
    name: 'nothing reaches the destination',
    isSilent: true,
    strike: () => (frame, wire) => {
      wire.hole('to destination');
      wire.send(frame.way, frame.bytes);
    },
    allowed: lostAhead,
  },
  {
    name: 'nothing reaches the source',
    isSilent: true,
    strike: () => (frame, wire) => {
      wire.hole('to source');
      wire.send(frame.way, frame.bytes);
    },
    allowed: lostBehind,
  },
  {
    name: 'the link stands for 300 ms',
    strike: () => (frame, wire) => {
      wire.stall(300);
      wire.send(frame.way, frame.bytes);
    },
    allowed: harmless,
  },
  {
    name: 'every byte is 20 ms late',
    strike: () => (frame, wire) => {
      wire.delay(20);
      wire.send(frame.way, frame.bytes);
    },
    allowed: (phase) => (phase === 'set-up' ? ['completed'] : []),
  },
  {
    name: 'the link carries 2 MB/s, the reader is slow',
    strike: () => (frame, wire) => {
      wire.slow(2e6);
      wire.send(frame.way, frame.bytes);
    },
    allowed: (phase) => (phase === 'set-up' ? ['completed'] : []),
  },
  {
    name: 'a frame is corrupted',
    strike: () => (frame, wire) => {
      const bytes = Buffer.from(frame.bytes);
      bytes[bytes.length > 16 ? bytes.length >> 1 : 8]! ^= 4;
      wire.send(frame.way, bytes);
    },
    allowed: lost,
  },
  {
    name: 'a frame is truncated',
    isSilent: true,
    strike: () => (frame, wire) => wire.send(frame.way, frame.bytes.subarray(0, -7)),
    allowed: lost,
  },
  {
    name: 'a frame comes twice',
    strike: () => (frame, wire) => wire.send(frame.way, Buffer.concat([frame.bytes, frame.bytes])),
    allowed: (phase) => {
      if (phase === 'set-up') return ['refused, source'];
      if (isPaging(phase) || phase === 'running') return ['completed'];
      if (phase === 'commit') return ['completed', 'nobody, then destination'];
      return ['failed, source', 'nobody, then source', 'nobody, then destination'];
    },
  },
  {
    name: 'a frame comes after the next one',
    isSilent: true,
    strike: () => (frame, wire) => wire.afterNext(frame),
    allowed: (phase) => (isPaging(phase) ? ['completed'] : lost(phase)),
  },
  {
    name: 'the destination is killed',
    strike: (powers) => (frame, wire) => {
      powers.killDestination();
      wire.send(frame.way, frame.bytes);
    },
    allowed: (phase) => {
      if (phase === 'running') return ['died with the destination, which owns it'];
      if (phase === 'ready') return ['failed, source', 'nobody, then source'];
      return phase === 'commit' ? ['nobody, then source'] : early(phase);
    },
  },
  {
    name: 'the source, which drives, is killed',
    strike: (powers) => (frame, wire) => {
      powers.killSource();
      wire.send(frame.way, frame.bytes);
    },
    allowed: (phase) =>
      isAfterCommit(phase) ? ['the destination runs it'] : ['died with the source, which owns it'],
  },
  {
    name: 'the destination freezes',
    isSilent: true,
    strike: (powers) => (frame, wire) => {
      powers.freezeDestination();
      wire.send(frame.way, frame.bytes);
    },
    allowed: (phase) => {
      if (phase === 'running') return ['completed'];
      return phase === 'ready' || phase === 'commit' ? ['nobody, then destination'] : early(phase);
    },
  },
  {
    name: 'it is cancelled, twice',
    strike: (powers) => (frame, wire) => {
      powers.cancel();
      wire.send(frame.way, frame.bytes);
    },
    allowed: (phase) => {
      if (phase === 'set-up') return ['refused, source'];
      if (isAfterCommit(phase)) return ['completed'];
      return phase === 'ready' || phase === 'last byte'
        ? ['cancelled, source', 'completed']
        : ['cancelled, source'];
    },
  },
  {
    name: 'the guest stands for too long',
    watched: true,
    strike: () => (_, wire) => wire.hole('to destination', 'to source'),
    allowed: (phase) =>
      phase === 'stop' || phase === 'last byte' || phase === 'ready' ? ['aborted, source'] : [],
  },
];
