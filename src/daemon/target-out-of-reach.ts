import type { InfeasiblePlan } from '../study/plan/answer.ts';
import { NotAdmitted } from './admission.ts';

/** No plan was found that keeps a target with what host and link have left. */
export class TargetOutOfReach extends NotAdmitted {
  /** The bound that proves it, or null. */
  readonly bound: InfeasiblePlan['bound'];

  constructor({ reason, bound }: Pick<InfeasiblePlan, 'reason' | 'bound'>) {
    super('target', reason);
    this.bound = bound;
  }
}
