import { worldNames } from '../worlds/worlds.ts';

/**
 * What requests look like, as JSON Schema: checked before anything is done, and served as OpenAPI. What only the
 * scenario's own schema can judge is an object here, and judged by that afterwards.
 */
const name = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
  description: 'at most 63 characters',
} as const;

const waiting = {
  priority: { type: 'integer', minimum: 0, maximum: 9, default: 5, description: 'the larger goes first' },
  patienceSeconds: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 86_400,
    description: 'dropped if it has not begun by then',
  },
} as const;

export const idParams = {
  type: 'object',
  properties: { id: { type: 'string', format: 'uuid' } },
  required: ['id'],
} as const;

export const nameParams = { type: 'object', properties: { name }, required: ['name'] } as const;

export const guestBody = {
  type: 'object',
  description: "A scenario's guest, with who keeps its reservation (scheduler) and the seed of its program.",
  properties: {
    name,
    pages: { type: 'integer', minimum: 2, maximum: 2 ** 32 - 1 },
    program: { type: 'object', properties: { kind: { type: 'string' } }, required: ['kind'] },
  },
  required: ['name', 'pages', 'program'],
} as const;

export const migrationBody = {
  type: 'object',
  additionalProperties: false,
  description:
    'Moves a guest that lives here. link, migration, sender, cpu and background are as in a scenario.',
  properties: {
    guest: name,
    to: {
      type: 'string',
      minLength: 1,
      maxLength: 300,
      description: 'a peer of the configuration, or HOST:PORT',
    },
    over: {
      ...name,
      description: 'a link of the configuration, within whose capacity the migration is to stay',
    },
    link: { type: 'object', required: ['rate'] },
    migration: { type: 'object' },
    sender: { type: 'object' },
    cpu: { type: 'object' },
    background: { type: 'array', maxItems: 10, items: { type: 'object' } },
    ...waiting,
  },
  required: ['guest', 'to', 'link'],
} as const;

export const experimentBody = {
  type: 'object',
  additionalProperties: false,
  description: 'Carries out a scenario and its compare matrix, as `switchover run` does.',
  properties: {
    name: { ...name, default: 'experiment' },
    world: { type: 'string', enum: [...worldNames], default: 'virtual' },
    scenario: { type: 'object', required: ['guest', 'link'] },
    ...waiting,
  },
  required: ['scenario'],
} as const;

/** Every answer that is not the one that was asked for. */
export const refusal = {
  type: 'object',
  properties: {
    error: { type: 'string' },
    problems: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, expected: { type: 'string' }, found: { type: 'string' } },
      },
    },
  },
  required: ['error'],
} as const;
