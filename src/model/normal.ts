const CENTRE = [
  [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ],
  [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
] as const;
const TAIL = [
  [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
] as const;

/** Below it, and above one minus it, the tail's approximation holds. */
const TAIL_BELOW = 0.02425;

/**
 * z with Pr[Z ≤ z] = probability for a standard normal Z: the rational approximation of P. J. Acklam (2003), with a
 * relative error below 1.2e-9. −∞ at 0, ∞ at 1.
 */
export function normalQuantile(probability: number): number {
  if (probability <= 0) return Number.NEGATIVE_INFINITY;
  if (probability > 1 - TAIL_BELOW) return -normalQuantile(1 - probability);
  if (probability < TAIL_BELOW) {
    const root = Math.sqrt(-2 * Math.log(probability));
    return polynomial(TAIL[0], root) / polynomial(TAIL[1], root);
  }
  const offset = probability - 0.5;
  const square = offset * offset;
  return (polynomial(CENTRE[0], square) * offset) / polynomial(CENTRE[1], square);
}

/** Horner's rule, the highest power first. */
function polynomial(coefficients: readonly number[], at: number): number {
  return coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);
}
