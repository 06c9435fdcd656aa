type Vector = readonly number[];

/** Of the gradient, below which it counts as nothing. */
const TOLERANCE = 1e-10;
/** Of the diagonal, which keeps columns that are nearly alike apart. */
const RIDGE = 1e-9;

/**
 * min ‖Σ x_j·a_j − b‖², x ≥ 0, for columns a_j as long as b: the active set method of C. Lawson and R. Hanson, Solving Least
 * Squares Problems, 1974, chapter 23, on the normal equations. Columns are scaled to length 1 first.
 */
export function nonNegativeLeastSquares(columns: readonly Vector[], right: Vector): number[] {
  const lengths = columns.map((column) => Math.sqrt(dot(column, column)) || 1);
  const scaled = columns.map((column, index) => column.map((value) => value / lengths[index]!));
  const gram = scaled.map((one, row) =>
    scaled.map((other, at) => dot(one, other) + (row === at ? RIDGE : 0)),
  );
  const target = scaled.map((column) => dot(column, right));
  let solution = columns.map(() => 0);
  const positive = new Set<number>();
  // Each column enters a few times at most; the bound is for numbers that are none.
  for (let step = 0; step < 3 * columns.length; step++) {
    const gradient = target.map((value, row) => value - dot(gram[row]!, solution));
    const next = steepest(gradient, positive);
    if (next === undefined) break;
    positive.add(next);
    for (;;) {
      const free = [...positive];
      const trial = solve(gram, target, free);
      if (trial.every((value) => value > 0)) {
        solution = columns.map((_, index) => trial[free.indexOf(index)] ?? 0);
        break;
      }
      solution = towards(solution, trial, free);
      for (const index of free) if (solution[index]! <= TOLERANCE) positive.delete(index);
      if (positive.size === 0) break;
    }
  }
  return solution.map((value, index) => value / lengths[index]!);
}

function dot(one: Vector, other: Vector): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += one[index]! * other[index]!;
  return sum;
}

/** undefined: nothing that is zero would be better above it */
function steepest(gradient: Vector, positive: ReadonlySet<number>): number | undefined {
  let best: number | undefined;
  for (const [index, value] of gradient.entries()) {
    if (!positive.has(index) && value > TOLERANCE && value > (gradient[best ?? -1] ?? 0)) best = index;
  }
  return best;
}

/** As far towards the trial as nothing falls below 0: what would is 0 then. */
function towards(solution: Vector, trial: Vector, free: readonly number[]): number[] {
  let share = 1;
  for (const [at, index] of free.entries()) {
    if (trial[at]! <= 0) share = Math.min(share, solution[index]! / (solution[index]! - trial[at]!));
  }
  return solution.map((value, index) => {
    const at = free.indexOf(index);
    if (at < 0) return 0;
    const moved = value + share * (trial[at]! - value);
    return trial[at]! <= 0 && moved <= TOLERANCE ? 0 : moved;
  });
}

/** The equations of the free columns alone, by elimination: they are positive definite. */
function solve(gram: readonly Vector[], target: Vector, free: readonly number[]): number[] {
  const rows = free.map((row) => [...free.map((column) => gram[row]![column]!), target[row]!]);
  for (let pivot = 0; pivot < rows.length; pivot++) {
    for (let row = pivot + 1; row < rows.length; row++) {
      const factor = rows[row]![pivot]! / rows[pivot]![pivot]!;
      for (let at = pivot; at <= rows.length; at++) rows[row]![at]! -= factor * rows[pivot]![at]!;
    }
  }
  const values = rows.map(() => 0);
  for (let row = rows.length - 1; row >= 0; row--) {
    let rest = rows[row]![rows.length]!;
    for (let at = row + 1; at < rows.length; at++) rest -= rows[row]![at]! * values[at]!;
    values[row] = rest / rows[row]![row]!;
  }
  return values;
}
