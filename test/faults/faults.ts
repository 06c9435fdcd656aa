import { setTimeout as sleep } from 'node:timers/promises';
import { isAfterCommit, type Phase } from './phases.ts';
import type { Wire, WireFault } from './proxy.ts';

/**
 * How a case may end, in few words. `nobody, then X`: the commit was sent and not answered, nor was the question what
 * became of it (the two generals); both ends stood or one ran without the other's knowledge, and `recover` said that the
 * guest is X's.
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
  /** Twice, as an impatient user does. Resolves when both were answered. */
  cancel(): Promise<unknown>;
}

export interface Fault {
  readonly name: string;
  strike(powers: Powers): WireFault;
  /** Whether an end will only notice by the other's silence. */
  readonly isSilent?: boolean;
  /** The guest may stand only for a moment. */
  readonly watched?: boolean;
  /** What the source says of it, where it comes to nothing. */
  readonly reason: RegExp;
  /** What may come of it in this phase; nothing: it is no fault there. */
  allowed(phase: Phase): readonly Outcome[];
}

/** Something happens, and the frame passes if it may. */
function passing(happens: (wire: Wire) => void): WireFault {
  return (frame, wire) => {
    happens(wire);
    wire.send(frame.way, frame.bytes);
  };
}

/** Whatever goes wrong before the commit leaves the guest at the source. */
const early = (phase: Phase): readonly Outcome[] =>
  phase === 'set-up' ? ['refused, source'] : ['failed, source'];
/** A commit that does not arrive, an answer that does not, and no way to ask. */
const lost = (phase: Phase): readonly Outcome[] => {
  if (phase === 'commit') return ['nobody, then source'];
  return phase === 'running' ? ['nobody, then destination'] : early(phase);
};
/** The same, and the source asks over another connection. */
const asked = (phase: Phase): readonly Outcome[] => {
  if (phase === 'commit') return ['failed, source'];
  return phase === 'running' ? ['completed'] : early(phase);
};
const brokenOff = /closed the connection|the connection broke|connect ECONN/;
const silent = /no answer for 1.5 s|accepted no data for 1.5 s|closed the connection/;
const damaged = /checksum|not a frame|frame of|wrong digest/;
/** It comes to something. */
const never = /^$/;
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
    reason: brokenOff,
    strike: () => (_, wire) => wire.cut(),
    allowed: asked,
  },
  {
    name: 'the link is black-holed',
    reason: silent,
    isSilent: true,
    strike: () => (_, wire) => wire.hole('to destination', 'to source'),
    allowed: lost,
  },
  {
    name: 'nothing reaches the destination',
    reason: silent,
    isSilent: true,
    strike: () => passing((wire) => wire.hole('to destination')),
    allowed: lostAhead,
  },
  {
    name: 'nothing reaches the source',
    reason: silent,
    isSilent: true,
    strike: () => passing((wire) => wire.hole('to source')),
    allowed: lostBehind,
  },
  {
    name: 'the link stands for 300 ms',
    reason: never,
    strike: () => passing((wire) => wire.hold(sleep(300))),
    allowed: harmless,
  },
  {
    name: 'every byte is 20 ms late',
    reason: never,
    strike: () => passing((wire) => wire.delay(20)),
    allowed: (phase) => (phase === 'set-up' ? ['completed'] : []),
  },
  {
    name: 'the link carries 2 MB/s, the reader is slow',
    reason: never,
    strike: () => passing((wire) => wire.slow(2e6)),
    allowed: (phase) => (phase === 'set-up' ? ['completed'] : []),
  },
  {
    name: 'a frame is corrupted',
    reason: damaged,
    strike: () => (frame, wire) => {
      const bytes = Buffer.from(frame.bytes);
      bytes[bytes.length > 16 ? bytes.length >> 1 : 8]! ^= 4;
      wire.send(frame.way, bytes);
    },
    allowed: asked,
  },
  {
    name: 'a frame is truncated',
    reason: /no answer for|not a frame|checksum|frame of|wrong digest/,
    isSilent: true,
    strike: () => (frame, wire) => wire.send(frame.way, frame.bytes.subarray(0, -7)),
    allowed: asked,
  },
  {
    name: 'a frame comes twice',
    reason: /expected|differs from what was sent/,
    strike: () => (frame, wire) => wire.send(frame.way, Buffer.concat([frame.bytes, frame.bytes])),
    allowed: (phase) => {
      if (phase === 'set-up') return ['refused, source'];
      if (isAfterCommit(phase)) return ['completed'];
      return phase === 'ready' ? ['failed, source', 'completed'] : ['failed, source'];
    },
  },
  {
    name: 'a frame comes after the next one',
    reason: /no answer for|differs from what was sent/,
    isSilent: true,
    strike: () => (frame, wire) => wire.afterNext(frame),
    allowed: asked,
  },
  {
    name: 'the destination is killed',
    reason: brokenOff,
    strike: (powers) => passing(() => powers.killDestination()),
    allowed: (phase) => {
      if (phase === 'running') return ['died with the destination, which owns it'];
      if (phase === 'ready') return ['failed, source', 'nobody, then source'];
      return phase === 'commit' ? ['nobody, then source'] : early(phase);
    },
  },
  {
    name: 'the source, which drives, is killed',
    reason: never,
    strike: (powers) => passing(() => powers.killSource()),
    allowed: (phase) =>
      isAfterCommit(phase) ? ['the destination runs it'] : ['died with the source, which owns it'],
  },
  {
    name: 'the destination freezes',
    reason: silent,
    isSilent: true,
    strike: (powers) => passing(() => powers.freezeDestination()),
    allowed: (phase) => {
      if (phase === 'running') return ['completed'];
      // Thawed it finds the commit and the question; which it reads first is open.
      if (phase === 'ready' || phase === 'commit') return ['nobody, then destination', 'nobody, then source'];
      return early(phase);
    },
  },
  {
    name: 'it is cancelled, twice',
    strike: (powers) => passing((wire) => wire.hold(powers.cancel())),
    reason: /^not now$/,
    allowed: (phase) => {
      if (isAfterCommit(phase)) return ['completed'];
      return phase === 'set-up' ? ['refused, source'] : ['cancelled, source'];
    },
  },
  {
    name: 'it is cancelled in a race with the commit',
    strike: (powers) => passing(() => void powers.cancel()),
    reason: /^not now$/,
    allowed: (phase) =>
      phase === 'last byte' || phase === 'ready' ? ['cancelled, source', 'completed'] : [],
  },
  {
    name: 'the guest stands for too long',
    reason: /^the guest was paused for 1 s, as long as migration.stopTimeout allows$/,
    watched: true,
    strike: () => (_, wire) => wire.hole('to destination', 'to source'),
    allowed: (phase) =>
      phase === 'stop' || phase === 'last byte' || phase === 'ready' ? ['aborted, source'] : [],
  },
];
