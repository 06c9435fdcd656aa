import type { Setting } from '../../scenario/settings.ts';
import type { Target } from '../../scenario/target.ts';
import type { Bound } from './bound.ts';
import type { Choice, ReservedPath } from './choice.ts';
import type { CostWeights } from './cost.ts';
import type { Narrowed } from './narrow.ts';
import type { Certificate } from './promise-certificate.ts';
import type { StopOfTasks } from './tasks.ts';

/** What becomes of the target with a tenth less of one reservation. */
export interface Sensitivity {
  readonly cut: ReservedPath;
  readonly from: string;
  readonly to: string;
  readonly runs: number;
  readonly kept: number;
  /** Less is kept than the target asks for. */
  readonly missed: boolean;
  /** So many did not complete, as a rule because `migration.timeout` came first, which a plan without one sets itself. */
  readonly incomplete: number;
  /** Why no less is reserved though the target would be kept; null: the target decides. */
  readonly floor: string | null;
}

/** What the search came to. */
export interface Plan {
  readonly target: Target;
  readonly tasks: StopOfTasks | null;
  readonly cost: CostWeights;
  /** Migrations in virtual time, of the search and of the certificate. */
  readonly migrations: number;
  readonly leftOut: readonly string[];
}

export interface FeasiblePlan extends Plan {
  readonly feasible: true;
  readonly choice: Choice;
  readonly choiceCost: number;
  /** The scenario's settings that make it. */
  readonly settings: readonly Setting[];
  readonly certificate: Certificate;
  readonly sensitivity: readonly Sensitivity[];
  /** Medians of the certificate's migrations. */
  readonly downtimeNs: number;
  readonly totalNs: number;
  /** By the model: of which none needs less of everything. */
  readonly front: readonly Narrowed[];
}

export interface InfeasiblePlan extends Plan {
  readonly feasible: false;
  readonly reason: string;
  /** null: none was found that proves it. */
  readonly bound: Bound | null;
}

export type PlanAnswer = FeasiblePlan | InfeasiblePlan;
