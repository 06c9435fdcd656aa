import { z } from 'zod';
import { jsonSchemaOf } from '../scenario/json-schema.ts';
import { experimentScenario } from './api-schemas.ts';
import { type Operation, operations, tags } from './operations.ts';
import { eventView, refusal } from './view-schemas.ts';

const meanings: Readonly<Record<number, string>> = {
  200: 'What was asked for.',
  201: 'It is there now.',
  202: 'It will be done. This is what is there now; `location` says where to ask again, if it is new.',
  204: 'It is done.',
  400: 'Something is wrong with the request; `problems` says all of it.',
  401: 'The key is missing, or is not that of this daemon; `www-authenticate` says how to bring it.',
  403: 'A page of another origin may change nothing.',
  404: 'There is no such thing.',
  409: 'Not as things stand.',
  413: 'The body is too long.',
  415: 'It is not called application/json, which is asked for also without a body.',
  421: 'This daemon is not called so: `host` must be an address, localhost, or a name of the configuration.',
  422: 'It can never run: more is asked for than there is; or its `idempotency-key` is another request’s.',
  429: 'Too many wait already, or watch; `retry-after` says when to ask again.',
  500: 'An error of the daemon’s; its log says more.',
  503: 'The daemon is starting, is about to end, cannot write down what happens, or the thread of its guests does not answer.',
};

/** The API as OpenAPI 3.1. */
export function openApi(version: string) {
  const schemas: Record<string, object> = {};
  const schemaOf = (schema: z.ZodType) => component(schema, schemas);
  // These two lie in no operation: one is read later, the other is in a text.
  schemaOf(experimentScenario);
  schemaOf(eventView);
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, operation] of Object.entries<Operation>(operations)) {
    const path = operation.url.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: described(id, operation, schemaOf) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchover',
      version,
      summary: 'Guests, their migrations, and experiments with both',
      description: 'Times are in ns and sizes in bytes unless a unit is written. Answers may have more keys.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'The key of `api.keyFile`. Where the configuration names none, none is asked for.',
        },
      },
    },
  };
}

/** Of a POST that says everything by its address: without a body, a client that is made from this would not call it JSON. */
const emptyBody = z.strictObject({});

type SchemaOf = (schema: z.ZodType) => object;

function described(id: string, operation: Operation, schemaOf: SchemaOf): object {
  const { method, url, summary, params, query, status, answer, refused } = operation;
  const changes = method !== 'GET';
  const body = operation.body ?? (method === 'POST' ? emptyBody : undefined);
  const refusals = [
    400,
    421,
    500,
    ...(changes ? [401, 403, 413, 415, 429] : []),
    ...(params ? [404] : []),
    ...(method === 'POST' ? [422] : []),
    ...refused,
  ];
  const parameters = [
    ...(params ? parametersOf(schemaOf(params), 'path') : []),
    ...(query ? parametersOf(schemaOf(query), 'query') : []),
    ...(method === 'POST' ? [idempotencyKey] : []),
  ];
  const response = (code: number, content: object) => [code, { description: meanings[code], ...content }];
  return {
    operationId: id,
    tags: [/^\/api\/(\w+)/.exec(url)?.[1] ?? 'probes'],
    summary,
    ...(changes && { security: [{ key: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, ...json(body, schemaOf) } }),
    responses: Object.fromEntries([
      response(status, contentOf(answer, schemaOf)),
      ...refusals.map((code) => response(code, json(refusal, schemaOf, 'application/problem+json'))),
    ]),
  };
}

const idempotencyKey = {
  name: 'idempotency-key',
  in: 'header',
  description:
    'At most 255 visible characters. Sent again with it within a day, the same request is not carried out again, and has the answer of the first; another one is refused.',
  schema: { type: 'string' },
};

function parametersOf(
  { properties = {} }: { properties?: Readonly<Record<string, object>> },
  where: 'path' | 'query',
): object[] {
  const required = where === 'path';
  return Object.entries(properties).map(([name, schema]) => ({ name, in: where, required, schema }));
}

function contentOf(answer: Operation['answer'], schemaOf: SchemaOf): object {
  if (!('mediaType' in answer)) return answer instanceof z.ZodVoid ? {} : json(answer, schemaOf);
  const { mediaType, description } = answer;
  return { content: { [mediaType]: { schema: { type: 'string', description } } } };
}

function json(schema: z.ZodType, schemaOf: SchemaOf, mediaType = 'application/json'): object {
  return { content: { [mediaType]: { schema: schemaOf(schema) } } };
}

/** A schema as JSON; those in it that have a name go to the components. */
function component(schema: z.ZodType, components: Record<string, object>): object {
  const text = JSON.stringify(jsonSchemaOf(schema));
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/'));
  Object.assign(components, $defs);
  return rest;
}
