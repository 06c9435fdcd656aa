import type { FrameType } from '../../../src/core/wire/frames.ts';
import type { End, HandoverState } from '../../../src/core/wire/handover.ts';
import type { JournalEntry } from '../../../src/core/wire/ownership.ts';
import type { DamagedJournal } from './simulated-disk.ts';

export const PAGES = 4;

export interface Frame {
  readonly type: FrameType | 'hang up';
  readonly page: number;
  readonly version: number;
}

/** A process, its journal and its memory. The memory outlives the process, as a file of shared memory would. */
export class SimulatedProcess {
  readonly end: End;
  state: HandoverState = 'new';
  lives = true;
  runs = false;
  committed = false;
  retired = false;
  diskFails = false;
  readonly memory = new Uint16Array(PAGES);
  /** What it has decided on: one step each, and anything may happen between two. */
  readonly todo: [string, () => void][] = [];
  /** Frames and the end of the stream on their way to it. */
  arriving: Frame[] = [];
  journal: JournalEntry[] = [];
  synced = 0;
  damage: DamagedJournal | undefined;

  constructor(end: End) {
    this.end = end;
  }

  get last(): JournalEntry | undefined {
    return this.journal.at(-1);
  }
}
