import type { Nanos } from '../units.ts';
import { EevdfQueue, fairEntity } from './eevdf-queue.ts';
import { KernelProcessors } from './kernel-processors.ts';
import type { ProcessorListener } from './processor.ts';
import { quantumTicks, type RealTimeEntity, RealTimeQueue } from './real-time-queue.ts';
import type { Reservation } from './reservation.ts';

/** What a thread has been given by nice(1), chrt(1) and taskset(1). */
export interface ThreadSettings {
  /** −20 to 19, of the fair class; 0 by default. */
  readonly nice?: number | undefined;
  /** Of the real-time class; `fifo` by default. */
  readonly policy?: RealTimeEntity['policy'] | undefined;
  /** Of the real-time class, 1 to 99; 1 by default. */
  readonly priority?: number | undefined;
  /** The only processor that it may use; without, all. */
  readonly processor?: number | undefined;
}

/** What Linux sets at boot, and sysctl(8) may change. */
export interface KernelSettings {
  /** 1/HZ */
  readonly tickNs: Nanos;
  /** debugfs sched/base_slice_ns */
  readonly sliceNs: Nanos;
  /** kernel.sched_rr_timeslice_ms */
  readonly quantumNs: Nanos;
  /** kernel.sched_rt_runtime_us in every kernel.sched_rt_period_us; null: −1. */
  readonly limit: Reservation | null;
}

/**
 * The defaults of Linux since 6.15, at 250 Hz: the slice is 0.7 ms · (1 + ⌊log2(min(M, 8))⌋) (kernel/sched/fair.c:
 * get_update_sysctl_factor).
 */
export function defaultKernelSettings(processors: number): KernelSettings {
  return {
    tickNs: 4_000_000,
    sliceNs: 700_000 * (1 + Math.floor(Math.log2(Math.min(processors, 8)))),
    quantumNs: 100_000_000,
    limit: { budgetNs: 950_000_000, periodNs: 1_000_000_000 },
  };
}

/** Threads under one class of Linux on so many processors; the i-th is entity i. */
export function kernelProcessors(
  schedulingClass: 'eevdf' | 'rt',
  processors: number,
  threads: readonly ThreadSettings[],
  listener: ProcessorListener = {},
  settings: Partial<KernelSettings> = {},
): KernelProcessors {
  const all = { ...defaultKernelSettings(processors), ...settings };
  const queues = (make: () => EevdfQueue | RealTimeQueue) => Array.from({ length: processors }, make);
  const fair = threads.map(({ nice = 0 }) => fairEntity(nice));
  const realTime = threads.map(
    ({ policy = 'fifo', priority = 1 }): RealTimeEntity => ({
      policy,
      priority,
      ticksLeft: quantumTicks(all),
    }),
  );
  const made =
    schedulingClass === 'eevdf'
      ? queues(() => new EevdfQueue(fair, all))
      : queues(() => new RealTimeQueue(realTime, all));
  const kernel = new KernelProcessors(made, all.tickNs, listener);
  for (const { processor } of threads) kernel.add(processor);
  return kernel;
}
