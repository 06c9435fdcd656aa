import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import type { LinkRequest } from '../core/link/ledger.ts';
import type { MemoryStore } from '../run/memory-store.ts';

export const jobKinds = ['migration', 'experiment'] as const;
export type JobKind = (typeof jobKinds)[number];

/** Something that wants to run. */
export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  /** The larger goes first. */
  readonly priority: number;
  /** How long it may wait; then it is dropped. */
  readonly queueTimeoutMs: number | undefined;
  /** What it reserves of the processors while it runs, and what is reserved already and stays so: its guest. */
  readonly cpu: { readonly takes: readonly KeptReservation[]; readonly beside?: readonly KeptReservation[] };
  /** What it asks of a configured link, under its id. */
  readonly link:
    | { readonly name: string; readonly request: Omit<LinkRequest, 'askedAtNs' | 'deadlineNs'> }
    | undefined;
  /** @param link where its lease is kept, if it has one */
  run(link: MemoryStore | undefined): Promise<void>;
  /** It will not run. */
  dropped(why: string): void;
}
