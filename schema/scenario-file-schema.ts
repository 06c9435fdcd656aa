import { compareSchema, scenarioSchema } from '../src/scenario/scenario-schema.ts';
import { stressSchema } from '../src/study/stress/stress-plan.ts';
import { sweepSchema } from '../src/study/sweep/design-schema.ts';

/** A scenario file, whatever it is read for: what concerns several migrations is taken from it before it is read. */
export const scenarioFileSchema = scenarioSchema
  .extend({
    compare: compareSchema,
    sweep: sweepSchema
      .optional()
      .describe('For `switchover sweep`; `run` leaves it aside. Without it: compare alone.'),
    stress: stressSchema
      .optional()
      .describe('For `switchover stress`, which needs it; `run` leaves it aside. Without it: no stress.'),
  })
  .meta({
    title: 'Scenario',
    description:
      'A migration, and what to compare. Only guest.pages, guest.program and link.rate are required.',
  });
