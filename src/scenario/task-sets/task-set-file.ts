import type { Reservation } from '../../core/cpu/reservation.ts';
import type { RealTimeTask } from '../../core/schedulability/real-time-task.ts';
import type { Nanos } from '../../core/units.ts';

/** A task as a file has it. */
export interface WrittenTask extends RealTimeTask {
  readonly name: string;
  readonly deadlineNs: Nanos;
  /** When its first job is released. */
  readonly offsetNs: Nanos;
  /** In whose order it runs. `none`: by a policy that guarantees nothing. */
  readonly policy: 'edf' | 'fixed-priority' | 'none';
  /** Under fixed priorities the larger goes first. */
  readonly priority: number;
  /** The reservation under which it runs, of a task that has one for itself. */
  readonly server?: Reservation & { readonly deadlineNs: Nanos };
  /** The one on which it may run. Without it: any. */
  readonly processor?: number;
}

/** A real-time task set as people have it, in whatever form it is written. */
export interface TaskSetFile {
  readonly format: 'rt-app' | 'SimSo' | 'switchover';
  readonly tasks: readonly WrittenTask[];
  /** (Q, P) that all of them share; null: the file has none. */
  readonly reservation: Reservation | null;
  readonly processors: number;
  /** On several processors: each task stays on one. Else it runs on whichever is free. */
  readonly isPartitioned: boolean;
  /** For how long it is to be simulated; null: the file does not say. */
  readonly horizonNs: Nanos | null;
}
