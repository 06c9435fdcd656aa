import type { Antagonist } from '../antagonist.ts';
import type { Scheduler } from '../cpu/cpu-plan.ts';
import type { Reservation } from '../cpu/reservation.ts';
import type { Bytes, Nanos } from '../units.ts';
import type { Course } from './course.ts';
import type { Plan } from './plan.ts';

/** Where, when and under what a migration ran: what the generator cannot know. */
export interface Labels {
  readonly world: string;
  readonly scenario: string;
  readonly seed: number;
  /** ISO 8601; in virtual time there is no date, and it is the epoch. */
  readonly startedAt: string;
  readonly guest: { readonly name: string; readonly pages: number; readonly pageSizeBytes: Bytes };
  readonly plan: Plan;
  readonly reservations: {
    readonly guest: Reservation | null;
    readonly sender: Reservation | null;
    readonly scheduler: Scheduler;
    readonly processors: number;
    /** CPU time that the sender was given to use for a page. */
    readonly cpuPerPageNs: Nanos;
    readonly cpuPerHandoverNs: Nanos;
    readonly hogs: number;
  };
  /** What worked against it besides the hogs. */
  readonly antagonists: readonly Antagonist[];
  readonly predicted: {
    readonly downtimeNs: Nanos;
    readonly downtimeP99Ns: Nanos;
    readonly totalNs: Nanos;
  } | null;
}

/** One schema for all worlds. Times in ns, sizes in bytes. */
export interface MigrationRecord extends Labels, Course {
  readonly schema: 'switchover.record/1';
}

export function migrationRecord(labels: Labels, course: Course): MigrationRecord {
  return { schema: 'switchover.record/1', ...labels, ...course };
}
