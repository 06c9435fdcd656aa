import type { Load } from './cpu-admission.ts';
import { ruleOf } from './cpu-plan.ts';
import type { KernelSettings, ThreadSettings } from './kernel-classes.ts';

/**
 * The schedulers that can be simulated; `cbs-linux` is another name of `deadline`. `rm` and `dm` are fixed priorities: the task
 * with the least period or the least deadline goes first.
 */
export const rules = {
  fair: ruleOf.fair,
  eevdf: undefined,
  rt: undefined,
  rm: undefined,
  dm: undefined,
  'cbs-soft': ruleOf['cbs-soft'],
  'cbs-hard': ruleOf['cbs-hard'],
  deadline: ruleOf.deadline,
  'cbs-linux': ruleOf.deadline,
};
export const simulatedSchedulers = Object.keys(rules) as (keyof typeof rules)[];

/** Who is to be scheduled, in any unit of time. */
export interface Workload {
  readonly scheduler: keyof typeof rules;
  readonly processors: number;
  /** Where the simulation ends. */
  readonly horizon: number;
  /** Of `fair`: how long one runs before it is another one's turn. */
  readonly quantum?: number | undefined;
  /** Of `eevdf` and `rt`. */
  readonly kernel?: Partial<KernelSettings>;
  readonly servers: readonly ServedJobs[];
  readonly tasks: readonly PeriodicTask[];
}

export interface ServedJobs extends Load, ThreadSettings {
  /** D, at most the period, of a server under `deadline`: budgets and jobs are due then. Without it: the period, and jobs never. */
  readonly deadline?: number | undefined;
  /** Release and work of each, in the order of release; or always busy. */
  readonly jobs: readonly (readonly [release: number, work: number])[] | 'backlogged';
  /** Tasks that share the server, in an order of their own, instead of `jobs`. */
  readonly inside?: TasksInside | undefined;
}

/** Released at offset, offset + period, …, and due a deadline later. */
export interface PeriodicTask extends ThreadSettings {
  readonly name: string;
  readonly wcet: number;
  readonly period: number;
  /** D, at most the period. Without it: the period. */
  readonly deadline?: number | undefined;
  /** Without it: 0. */
  readonly offset?: number | undefined;
}

/** In whose order the tasks of a server run: the earliest deadline first, or the least period or deadline. */
export const insideSchedulers = ['edf', 'rm', 'dm'] as const;

/** Tasks that share a server. When it runs is the processor's matter; who runs then is theirs. */
export interface TasksInside {
  readonly scheduler: (typeof insideSchedulers)[number];
  readonly tasks: readonly PeriodicTask[];
}

/** The entity runs from start to end. */
export interface Slice {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly processor: number;
}

export function hasRanks(scheduler: Workload['scheduler']): scheduler is 'rm' | 'dm' {
  return scheduler === 'rm' || scheduler === 'dm';
}

export function isKernelClass(scheduler: Workload['scheduler']): scheduler is 'eevdf' | 'rt' {
  return scheduler === 'eevdf' || scheduler === 'rt';
}
