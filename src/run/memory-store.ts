import { emptyLedger, type Ledger, nextEventNs } from '../core/link/ledger.ts';
import { type BytesPerSecond, NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import type { LedgerChange, LedgerStore } from './lease-client.ts';

/** The ledger of a link that only the migrations of this process use. */
export interface MemoryStore extends LedgerStore {
  /** As it is at this moment. */
  readonly ledger: Ledger;
  /** As `update`, at once. */
  apply(change: LedgerChange): void;
}

/** The longest delay of a timer. After it, another one follows. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * @param beganAtNs where its clock begins, by this host's
 * @param changed told after every change
 */
export function memoryStore(
  capacity: BytesPerSecond,
  beganAtNs: Nanos = clockNs(),
  changed: () => void = () => {},
): MemoryStore {
  const waiting = new Set<() => void>();
  const nowNs = () => clockNs() - beganAtNs;
  let ledger = emptyLedger(capacity);
  const apply = (change: LedgerChange) => {
    const now = nowNs();
    const before = ledger;
    ledger = change(before, now);
    if (ledger !== before) {
      for (const wake of waiting) wake();
      changed();
    }
    return { ledger, now };
  };
  return {
    get ledger() {
      return ledger;
    },
    apply,
    update: async (change) => apply(change),
    async changedSince(seen, signal) {
      if (ledger !== seen || signal.aborted) return;
      const dueMs = (nextEventNs(ledger) - nowNs()) / NANOS_PER_MILLISECOND;
      let wake = () => {};
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const timer = setTimeout(wake, Math.min(Math.max(0, Math.ceil(dueMs)), LONGEST_TIMER_MS));
      waiting.add(wake);
      signal.addEventListener('abort', wake);
      await woken;
      clearTimeout(timer);
      waiting.delete(wake);
      signal.removeEventListener('abort', wake);
    },
    close: async () => {},
  };
}
