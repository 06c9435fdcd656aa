import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import fastify, {
  type ConnectionError,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import type { z } from 'zod';
import { reasonOf } from '../platform/failure.ts';
import { insistOnShape } from '../platform/json.ts';
import { packageFolder } from '../platform/package.ts';
import { checked } from '../scenario/checked.ts';
import { guard } from './access.ts';
import { methodsAt } from './allowed-methods.ts';
import { type ApiParts, api } from './api.ts';
import { audit } from './audit.ts';
import { PROBLEM_TYPE, problemDetails } from './problem-details.ts';
import { type Answer, BadRequest, refusalOf } from './refusals.ts';

/** Whoever has not sent the whole of a request by then is told so and cut off. */
const REQUEST_TIMEOUT_MS = 10_000;

/** When whoever came too many may come again. */
const RETRY_AFTER_S = 1;

/** The HTTP server of a daemon: API, probes, metrics, and the page. */
export async function serverOf(
  parts: ApiParts,
  log: FastifyBaseLogger,
  bodyLimit: number,
): Promise<FastifyInstance> {
  const { host, metrics } = parts;
  const { apiTls } = host.settings;
  // Node waits for a body until the later of its two deadlines, and that for the header is a minute by itself.
  const deadlines = {
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS / 5,
  };
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(apiTls
      ? { https: { ...deadlines, ...apiTls, minVersion: 'TLSv1.2', handshakeTimeout: REQUEST_TIMEOUT_MS } }
      : { http: deadlines }),
    clientErrorHandler: cutOff,
    forceCloseConnections: true,
  });
  const parsed = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    try {
      insistOnShape(body, 'body');
    } catch (cause) {
      done(new BadRequest(400, reasonOf(cause)), undefined);
      return;
    }
    if (body === '') done(null, undefined);
    else parsed(request, body, done);
  });
  server.setValidatorCompiler<z.ZodType>(({ schema, httpPart = 'body' }) => {
    const place = httpPart === 'querystring' ? 'query' : httpPart;
    return (data) => {
      try {
        return { value: checked(schema, data, place, [place]) };
      } catch (cause) {
        return { error: cause as Error };
      }
    };
  });

  // Node's own answer has no body.
  server.server.on('checkExpectation', (_, response: ServerResponse) => {
    response.writeHead(417, { 'content-type': PROBLEM_TYPE });
    const error = 'nothing but 100-continue can be expected of this daemon';
    response.end(JSON.stringify(problemDetails(417, { error })));
  });
  server.setErrorHandler((cause, _, reply) => {
    const answer = refusalOf(cause);
    if (!answer) {
      log.error({ err: cause }, 'a request met an error of ours');
      return refuse(reply, 500, { error: 'an error of ours; the log has it' });
    }
    if (answer.refused) metrics.refused(answer.refused);
    if (answer.status === 401) metrics.unauthenticated();
    if (answer.status === 429) reply.header('retry-after', RETRY_AFTER_S);
    return refuse(reply, answer.status, answer.body);
  });
  server.setNotFoundHandler(({ method, url }, reply) => {
    const asked = `${method} ${url.slice(0, 200)}`;
    const methods = methodsAt(url.split('?')[0]!);
    const allow = methods.join(', ');
    if (methods.length === 0)
      return refuse(reply, 404, { error: `nothing at ${asked}; /openapi.json says what there is` });
    reply.header('allow', allow);
    if (method === 'OPTIONS') return reply.code(204).send();
    return refuse(reply, 405, { error: `nothing at ${asked}, but with ${allow}` });
  });
  audit(server, log, () => host.settings.apiKey);
  guard(server, () => host.settings);

  api(server, parts);
  await page(server);
  await server.ready();
  return server;
}

function refuse(reply: FastifyReply, status: number, body: Answer['body']): FastifyReply {
  return reply.code(status).type(PROBLEM_TYPE).send(problemDetails(status, body));
}

/** What has come was no request, or not the whole of one: says so and hangs up. */
function cutOff({ code, message }: ConnectionError, socket: Socket): void {
  const { status, error } = connectionErrors[code] ?? { status: 400, error: message };
  const details = problemDetails(status, { error });
  const body = JSON.stringify(details);
  const head = [
    `HTTP/1.1 ${status} ${details.title}`,
    'connection: close',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

const connectionErrors: Readonly<Record<string, { readonly status: number; readonly error: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    error: `the request was not complete within ${REQUEST_TIMEOUT_MS / 1e3} s`,
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    error: 'the header is longer than 16 KiB',
  },
};

/** Everything comes from here: no request of the page leaves this host, and the browser sees to that. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

async function page(server: FastifyInstance): Promise<void> {
  const setHeaders = (reply: { header(name: string, value: string): unknown }) => {
    reply.header('content-security-policy', POLICY);
    reply.header('x-content-type-options', 'nosniff');
  };
  await server.register(fastifyStatic, {
    root: join(packageFolder, 'src/daemon/page'),
    prefix: '/',
    setHeaders,
  });
  const some = async (prefix: string, root: string, ...names: readonly string[]) => {
    const allowedPath = (path: string) => names.includes(path.slice(1));
    await server.register(fastifyStatic, { root, prefix, decorateReply: false, allowedPath });
  };
  const uplot = fileURLToPath(new URL('.', import.meta.resolve('uplot')));
  await some('/uplot/', uplot, 'uPlot.esm.js', 'uPlot.min.css');
  await some('/built/', join(packageFolder, 'dist/page'), 'units.js', 'yaml.js');
}
