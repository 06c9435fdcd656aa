/**
 * The lower confidence bound of a share of which `kept` of `runs` is a sample (Clopper & Pearson 1934): the p for which so
 * many or more would be kept with probability α. Exact: it is above the true share in no more than α of all samples.
 * @param alpha 0.05: the bound holds with 95 %
 */
export function leastShare(kept: number, runs: number, alpha: number): number {
  if (kept === 0) return 0;
  const missed = runs - kept;
  let [low, high] = [0, 1];
  while (high - low > 1e-12) {
    const p = (low + high) / 2;
    if (atMostMissed(missed, runs, 1 - p) > alpha) high = p;
    else low = p;
  }
  return low;
}

/** Pr[Bin(runs, share) ≤ missed], summed in logarithms, since a single term may be nothing in a double. */
function atMostMissed(missed: number, runs: number, share: number): number {
  if (missed >= runs) return 1;
  let logTerm = runs * Math.log1p(-share);
  let sum = Math.exp(logTerm);
  for (let count = 0; count < missed; count++) {
    logTerm += Math.log(((runs - count) / (count + 1)) * (share / (1 - share)));
    sum += Math.exp(logTerm);
  }
  return sum;
}

/** After so many runs with no more than so many missed, the share is at least q. */
export interface Look {
  readonly runs: number;
  readonly missed: number;
  /** What this look may be wrong with. */
  readonly alpha: number;
}

const ALLOWED = [0, 1, 2, 4, 8, 16, 32];

/**
 * When to look at a growing sample, so that it is looked at more than once and all looks together are wrong with
 * probability α at most: each spends half of what is left (α-spending, Lan & DeMets 1983, and Bonferroni's
 * inequality), and is Clopper and Pearson's bound for itself.
 */
export function looksAt(q: number, alpha: number): readonly Look[] {
  return ALLOWED.map((missed, index) => {
    const own = alpha / 2 ** (index + 1);
    return { runs: fewestRuns(missed, q, own), missed, alpha: own };
  });
}

/** The fewest runs of which so many may be missed, and the bound is at least q. */
function fewestRuns(missed: number, q: number, alpha: number): number {
  const isEnough = (runs: number) => atMostMissed(missed, runs, 1 - q) <= alpha;
  let enough = missed + 1;
  while (!isEnough(enough)) enough *= 2;
  let tooFew = Math.floor(enough / 2);
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
