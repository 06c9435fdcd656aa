import { workerData } from 'node:worker_threads';
import { setNice } from '../platform/thread-scheduling.ts';
import type { UsedFile } from '../platform/used-files.ts';
import { serve } from '../platform/worker-thread.ts';
import type { PlanAnswer } from '../study/plan/answer.ts';
import type { PlanProblem } from '../study/plan/plan-problem.ts';

export interface PlanningMethods {
  plan(problem: PlanProblem, seed: number): PlanAnswer;
}

/** Guests and their migrations go first, then requests and answers. The threads that this one starts inherit it. */
setNice(10);

const { useAgain } = await import('../platform/used-files.ts');
await useAgain(workerData as readonly UsedFile[]);
const { plan } = await import('../study/plan/planned.ts');

serve({ plan: (problem: PlanProblem, seed: number) => plan(problem, null, seed) });
