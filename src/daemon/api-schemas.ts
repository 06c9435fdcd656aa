import { z } from 'zod';
import { expected } from '../core/units.ts';
import {
  guestDefinitionSchema,
  nameSchema,
  requestedLink,
  requestedMigrationSchema,
} from '../scenario/migration-request.ts';
import { object } from '../scenario/object-schema.ts';
import { whole } from '../scenario/quantity.ts';
import { compareSchema, scenarioSchema } from '../scenario/scenario-schema.ts';
import { isObject } from '../scenario/settings.ts';
import { targetSchema } from '../scenario/target.ts';
import { worldNames } from '../worlds/world-names.ts';

/** What requests look like: checked before anything is done, and served as OpenAPI. */

export const idParams = z.strictObject({ id: z.guid('a UUID').describe('Its number, a UUID.') });

export const nameParams = z.strictObject({ name: nameSchema.describe('Its name.') });

export const guestBody = guestDefinitionSchema
  .safeExtend({ name: nameSchema.describe('What it is called: at most 63 characters.') })
  .meta({ id: 'GuestDefinition', title: 'Guest definition', description: 'A guest that is to live here.' });

const seconds = 'a number of seconds above 0, at most 86400';
const timeout = z.number(seconds).positive(seconds).max(86_400, seconds).optional();

const queueing = {
  priority: whole(0, 9).default(5).describe('The larger goes first.'),
  queueTimeoutSeconds: timeout.describe(
    'It is dropped if it has not begun by then. Without it: it waits as long as it takes.',
  ),
  patienceSeconds: timeout.meta({
    deprecated: true,
    description: 'The former name of queueTimeoutSeconds, accepted for this release.',
  }),
};

type Queueing = Readonly<Partial<Record<'queueTimeoutSeconds' | 'patienceSeconds', number | undefined>>>;

/** The one key under its two names. */
export function queueTimeoutMs({ patienceSeconds, queueTimeoutSeconds = patienceSeconds }: Queueing) {
  return queueTimeoutSeconds === undefined ? undefined : queueTimeoutSeconds * 1e3;
}

const hasOneTimeout = (body: Queueing) =>
  body.patienceSeconds === undefined || body.queueTimeoutSeconds === undefined;
const twoTimeouts = {
  path: ['patienceSeconds'],
  error: 'nothing beside queueTimeoutSeconds, which is its name now',
  // Also where something else is wrong.
  when: ({ value }: { readonly value: unknown }) => isObject(value),
};

/** Also where something else is wrong, and so not as the schema leaves it. */
function hasRatesOrTarget({ link, target }: { readonly link?: unknown; readonly target?: unknown }): boolean {
  return target !== undefined || (isObject(link) && link.rate !== undefined);
}

export const migrationBody = object(
  'Migration request',
  'Moves a guest that lives here.',
  'a migration: { guest, to, link, … }',
  {
    guest: nameSchema.describe('A guest that lives here.'),
    to: z
      .string('a peer, or HOST:PORT')
      .min(1, 'a peer, or HOST:PORT')
      .max(300, 'at most 300 characters')
      .describe('A peer of the configuration, or HOST:PORT.'),
    over: nameSchema
      .optional()
      .describe('A link of the configuration, within whose capacity it stays. Without it: none limits it.'),
    ...requestedMigrationSchema.shape,
    link: requestedLink
      .extend({ rate: requestedLink.shape.rate.optional() })
      .prefault({})
      .describe('What is reserved of the link. With a target over a link of the configuration: nothing.'),
    target: targetSchema.describe(
      'What is to be kept. Rates, rounds and the sender’s CPU time are planned for it, with what host and link have left.',
    ),
    ...queueing,
  },
)
  .refine(hasRatesOrTarget, {
    path: ['link', 'rate'],
    error: `${expected.rate}, unlimited or elastic; or a target, for which it is planned`,
    when: ({ value }) => isObject(value),
  })
  .refine(({ link, over }) => over !== undefined || link.least === undefined, {
    path: ['link', 'least'],
    error: 'nothing without `over`, a link of which some can be revoked',
  })
  .refine(hasOneTimeout, twoTimeouts)
  .meta({ id: 'MigrationRequest' });

export type MigrationRequestBody = z.infer<typeof migrationBody>;

/** A scenario as an experiment carries it out. */
export const experimentScenario = scenarioSchema
  .extend({ compare: compareSchema })
  .meta({ id: 'Scenario', title: 'Scenario' });

/** Here it is only an object: what is wrong with it shows once its `compare` is expanded. */
const scenario = z
  .unknown()
  .meta({ $ref: '#/$defs/Scenario' })
  .transform((raw, context): Record<string, unknown> => {
    if (!isObject(raw)) {
      context.addIssue({ code: 'custom', message: 'a scenario: { guest, link, … }' });
      return z.NEVER;
    }
    for (const key of ['sweep', 'stress'].filter((one) => raw[one] !== undefined)) {
      const message = `nothing: an experiment carries out \`compare\`; take switchover ${key}`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
    return raw;
  });

export const experimentBody = object(
  'Experiment request',
  'Carries out a scenario and its compare matrix.',
  'an experiment: { scenario, … }',
  {
    name: nameSchema.default('experiment').describe('What it is called.'),
    world: z
      .enum(worldNames, worldNames.join(' or '))
      .default('virtual')
      .describe('Where it is carried out.'),
    scenario: scenario.describe('A scenario with its `compare`, as `switchover run` carries it out.'),
    ...queueing,
  },
)
  .refine(hasOneTimeout, twoTimeouts)
  .meta({ id: 'ExperimentRequest' });

export type ExperimentRequestBody = z.infer<typeof experimentBody>;
