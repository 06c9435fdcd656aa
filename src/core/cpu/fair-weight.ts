/** The weight of nice 0. */
export const NICE_0_WEIGHT = 1024;

/** By nice, from −20 to 19, as /proc/self/sched tells them (se.load.weight / 1024): about 1024 / 1.25^nice. */
const weights = [
  ...[88_761, 71_755, 56_483, 46_273, 36_291, 29_154, 23_254, 18_705, 14_949, 11_916],
  ...[9_548, 7_620, 6_100, 4_904, 3_906, 3_121, 2_501, 1_991, 1_586, 1_277],
  ...[NICE_0_WEIGHT, 820, 655, 526, 423, 335, 272, 215, 172, 137],
  ...[110, 87, 70, 56, 45, 36, 29, 23, 18, 15],
];

/** What a thread of the fair class counts for: its share is its part of the sum of weights. */
export function fairWeight(nice: number): number {
  return weights[nice + 20]!;
}
