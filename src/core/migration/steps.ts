import type { Bytes, BytesPerSecond, Nanos } from '../units.ts';
import type { Device } from './device.ts';
import type { WriteRates } from './heat.ts';
import type { Measurements, Owner } from './migration-result.ts';
import type { PageSet } from './pages.ts';
import type { WindowsSeen } from './windows-seen.ts';

/** What the migration asks of a world; one that answers in counts is asked in counts (round-pages.ts). */
export type Step<Batch = Uint32Array> =
  /**
   * Watch the guest for a sampling window: which pages does it write? A world that can may answer for several windows in a
   * row, as far as `windows`, at once.
   */
  | { readonly kind: 'observe'; readonly windowNs: Nanos; readonly windows: number }
  /** Tell how often the guest's program writes each page, where its program is known. */
  | { readonly kind: 'learn' }
  /** The migration starts: from now on every page is dirty until it is sent. */
  | { readonly kind: 'track' }
  /**
   * Send these pages in this order at this rate (null: as fast as it goes). `clears`: take off each page's dirty
   * bit before it is copied. `endsRound`: done only when the destination has everything; once the guest is
   * paused a world may leave that to the hand-over, which asks for it anyway. `untilNs`: what has not left by then stays, and
   * the step ends. `isLast`: where only the number of dirty pages is known, whether the guest is stopped after this round,
   * whatever is dirty then.
   */
  | {
      readonly kind: 'send';
      readonly pages: Batch;
      readonly rateBytesPerSecond: BytesPerSecond | null;
      readonly clears: boolean;
      readonly endsRound: boolean;
      readonly untilNs?: Nanos;
      readonly isLast?: boolean;
    }
  /** Take off the dirty bits of these pages. */
  | { readonly kind: 'clear'; readonly pages: PageSet }
  /** Nothing is to be sent: let so much time pass. */
  | { readonly kind: 'wait'; readonly forNs: Nanos }
  /** Which pages are dirty now? `take`: and take off their dirty bits, each seen exactly once. */
  | { readonly kind: 'harvest'; readonly take: boolean }
  /** Stop the guest. */
  | { readonly kind: 'stop' }
  /** All pages are sent: send the state of the guest's devices at this rate, and let their time pass. */
  | {
      readonly kind: 'device';
      readonly device: Device;
      readonly rateBytesPerSecond: BytesPerSecond | null;
    }
  /** Everything is sent: compare, commit, run on the destination. */
  | { readonly kind: 'hand over'; readonly verify: 'checksums' | 'full' }
  /** Give up: the guest runs on at the source, if it may. */
  | { readonly kind: 'abort'; readonly why: string };

/** The instants that a hand-over which failed has reached. */
export interface HandoverReached {
  readonly readyAtNs?: Nanos;
  readonly verifiedAtNs?: Nanos;
  readonly commitLeftAtNs?: Nanos;
  readonly committedAtNs?: Nanos;
  readonly runningAtNs?: Nanos;
}

/** What a world answers. Times count from the world's own beginning. */
export type StepResult<Dirty = PageSet> =
  /**
   * `windowNs`: how long the guest was watched; of a stop, how long it has been paused by now, where its dirty pages
   * are found by a scan of all its memory.
   */
  | { readonly kind: 'dirty'; readonly now: Nanos; readonly dirty: Dirty; readonly windowNs: Nanos }
  | { readonly kind: 'watched'; readonly now: Nanos; readonly windows: WindowsSeen }
  | { readonly kind: 'learned'; readonly now: Nanos; readonly rates: WriteRates }
  | {
      readonly kind: 'sent';
      readonly now: Nanos;
      readonly sentPages: number;
      readonly zeroPages: number;
      readonly bytes: Bytes;
      /** Of these, so much has left and is on its way through something slower than the link. Not there: none, or not known. */
      readonly underWayBytes?: Bytes | undefined;
      /** Of the pages that had their turn, those that were clean and did not leave. Not there: only dirty ones were asked for. */
      readonly cleanPages?: number | undefined;
    }
  | { readonly kind: 'done'; readonly now: Nanos }
  | {
      readonly kind: 'handed over';
      readonly now: Nanos;
      readonly readyAtNs: Nanos;
      readonly verifiedAtNs: Nanos;
      readonly committedAtNs: Nanos;
      readonly runningAtNs: Nanos;
      /** By so much more than the way there and back the answer to what was sent came late: it was still on its way. Not there: none. */
      readonly lateNs?: Nanos | undefined;
      readonly measurements: Measurements;
    }
  | {
      readonly kind: 'aborted';
      readonly now: Nanos;
      readonly owner: Owner;
      readonly measurements: Measurements;
    }
  /**
   * The step could not be carried out; the next one is `abort`. `outcome`: it was not for a fault, but because
   * somebody cancelled the migration, the guest was paused for as long as the plan allows, or the link allows nothing more.
   */
  | {
      readonly kind: 'failed';
      readonly now: Nanos;
      readonly why: string;
      readonly outcome?: 'cancelled' | 'aborted';
      /** The guest has been paused since then, though the step `stop` did not come to its end. */
      readonly pausedSince?: Nanos;
      /** How far a hand-over came. `commitLeftAtNs`: from then on the guest may run at its destination. */
      readonly handover?: HandoverReached;
    };

export type StepResultOf<K extends StepResult['kind'], Dirty = PageSet> = Extract<
  StepResult<Dirty>,
  { kind: K }
>;
