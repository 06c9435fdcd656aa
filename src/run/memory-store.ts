import { emptyLedger, type Ledger, nextEventNs } from '../core/link/ledger.ts';
import { type BytesPerSecond, NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { afterNs } from '../platform/timer.ts';
import type { LedgerChange, LedgerStore } from './lease-client.ts';

/** The ledger of a link that only the migrations of this process use. */
export interface MemoryStore extends LedgerStore {
  /** As it is at this moment. */
  readonly ledger: Ledger;
  /** As `update`, at once. */
  apply(change: LedgerChange): void;
}

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
      // A timer that fires a little early would find nothing.
      const dueMs = Math.max(0, Math.ceil((nextEventNs(ledger) - nowNs()) / NANOS_PER_MILLISECOND));
      let wake = () => {};
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const stopTimer = afterNs(dueMs * NANOS_PER_MILLISECOND, wake);
      waiting.add(wake);
      signal.addEventListener('abort', wake);
      await woken;
      stopTimer();
      waiting.delete(wake);
      signal.removeEventListener('abort', wake);
    },
    close: async () => {},
  };
}
