/** NICE_0_LOAD, kernel/sched/sched.h: the weight of nice 0. */
export const NICE_0_WEIGHT = 1024;

/**
 * w = 1024 / 1.25^nice, for nice −20 to 19: a step of nice is a tenth of a processor between two equals. The kernel's table
 * (kernel/sched/core.c: sched_prio_to_weight) holds it in whole numbers, at most 0.5 % off from −15 to 10.
 */
export function fairWeight(nice: number): number {
  return NICE_0_WEIGHT / 1.25 ** nice;
}
