/** One that wants some of a processor. */
export interface Claimant {
  /** The share of the processor that it would use; infinite: all that there is. */
  readonly demand: number;
  readonly weight: number;
}

/**
 * Who gets how much of a capacity, max–min fair (water filling): nobody more than it wants, and what it leaves is
 * shared in proportion to the weights by those that want more. Round robin comes to this with equal weights, and EDF
 * among soft servers with their shares (Abeni & Buttazzo 1998): neither leaves the processor idle while anybody wants it.
 */
export function fairShares(capacity: number, claimants: readonly Claimant[]): readonly number[] {
  const shares = claimants.map(() => 0);
  let left = capacity;
  let unsatisfied = claimants.map((claimant, index) => ({ ...claimant, index }));
  while (unsatisfied.length > 0 && left > 0) {
    const level = left / unsatisfied.reduce((sum, { weight }) => sum + weight, 0);
    const satisfied = unsatisfied.filter(({ demand, weight }) => demand <= level * weight);
    const settled = satisfied.length > 0 ? satisfied : unsatisfied;
    for (const { demand, weight, index } of settled) {
      shares[index] = Math.min(demand, level * weight);
      left -= shares[index]!;
    }
    unsatisfied = satisfied.length > 0 ? unsatisfied.filter((each) => !satisfied.includes(each)) : [];
  }
  return shares;
}
