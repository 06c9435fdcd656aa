/**
 * CPU reservations: the constant bandwidth server, earliest deadline first, admission, and what a reservation supplies.
 * Everything is exact arithmetic on numbers in any unit of time; nothing here reads a clock.
 */

export {
  type CbsRule,
  charge,
  type DueReservation,
  idleServer,
  type Phase,
  replenish,
  type Server,
  sleep,
  wake,
} from '../core/cpu/cbs.ts';
export {
  firstFitDecreasing,
  globalEdfGuarantees,
  type Load,
  type Placement,
} from '../core/cpu/cpu-admission.ts';
export type { KernelSettings, ThreadSettings } from '../core/cpu/kernel-classes.ts';
export { Processor, type ProcessorListener } from '../core/cpu/processor.ts';
export { type Reservation, shareOf } from '../core/cpu/reservation.ts';
export type { ResponseTimes } from '../core/cpu/response-times.ts';
export { Overload, type Schedule, schedule } from '../core/cpu/schedule.ts';
export * from '../core/cpu/supply.ts';
export type { PeriodicTask, ServedJobs, Slice, TasksInside, Workload } from '../core/cpu/workload.ts';
export { demand, schedulableInside } from '../core/schedulability/demand-bound.ts';
export { type LongestStop, longestStop } from '../core/schedulability/longest-stop.ts';
export type { RealTimeTask, TaskPolicy, TaskSet } from '../core/schedulability/real-time-task.ts';
export { responseTime } from '../core/schedulability/response-time.ts';
