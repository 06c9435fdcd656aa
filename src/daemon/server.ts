import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import fastify, {
  type ConnectionError,
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
} from 'fastify';
import type { z } from 'zod';
import { reasonOf } from '../platform/failure.ts';
import { insistOnShape } from '../platform/json.ts';
import { checked } from '../scenario/checked.ts';
import { api } from './api.ts';
import type { Daemon } from './daemon.ts';
import { BadRequest, refusalOf } from './refusals.ts';

/** Whoever has not sent the whole of a request by then is told so and cut off. */
const REQUEST_TIMEOUT_MS = 10_000;

const JSON_TYPE = 'application/json; charset=utf-8';

/** The HTTP server of a daemon: API, probes, metrics, and the page. */
export async function serverOf(
  daemon: Daemon,
  log: FastifyBaseLogger,
  version: string,
): Promise<FastifyInstance> {
  const { apiTls } = daemon.configuration;
  // Node waits for a body until the later of its two deadlines, and that for the header is a minute by itself.
  const deadlines = {
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS / 5,
  };
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: daemon.configuration.limits.bodyBytes,
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
    parsed(request, body, done);
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
    response.writeHead(417, { 'content-type': JSON_TYPE });
    response.end(JSON.stringify({ error: 'nothing but 100-continue can be expected of this daemon' }));
  });
  server.setErrorHandler((cause, _, reply) => {
    const answer = refusalOf(cause);
    if (!answer) {
      log.error({ err: cause }, 'a request met an error of ours');
      return reply.code(500).send({ error: 'an error of ours; the log has it' });
    }
    if (answer.refused) daemon.metrics.refused(answer.refused);
    return reply.code(answer.status).send(answer.body);
  });
  server.setNotFoundHandler(({ method, url }, reply) =>
    reply
      .code(404)
      .send({ error: `nothing at ${method} ${url.slice(0, 200)}; /openapi.json says what there is` }),
  );
  // Whoever can make a browser think that some name is this host must not be served in that name (DNS rebinding).
  server.addHook('onRequest', async ({ hostname }, reply) => {
    if (daemon.configuration.apiKey !== undefined || isOwnName(hostname)) return;
    return reply.code(403).send({ error: 'without a key, only localhost and addresses are answered to' });
  });
  // A browser sends a request without a body wherever a page asks it to, and names the page's origin.
  server.addHook('onRequest', async ({ method, headers: { origin, host } }, reply) => {
    if (method === 'GET' || method === 'HEAD' || origin === undefined) return;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    return reply.code(403).send({ error: 'a page of another origin may change nothing here' });
  });

  api(server, daemon, version);
  await page(server);
  await server.ready();
  return server;
}

/** What has come was no request, or not the whole of one: says so and hangs up. */
function cutOff({ code, message }: ConnectionError, socket: Socket): void {
  const { status, error } = connectionErrors[code] ?? { status: '400 Bad Request', error: message };
  const body = JSON.stringify({ error });
  const head = [
    `HTTP/1.1 ${status}`,
    'connection: close',
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

const connectionErrors: Readonly<Record<string, { readonly status: string; readonly error: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    error: `the request was not complete within ${REQUEST_TIMEOUT_MS / 1e3} s`,
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    error: 'the header is longer than 16 KiB',
  },
};

/** Everything comes from here: no request of the page leaves this host, and the browser sees to that. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

async function page(server: FastifyInstance): Promise<void> {
  const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const setHeaders = (reply: { header(name: string, value: string): unknown }) => {
    reply.header('content-security-policy', POLICY);
    reply.header('x-content-type-options', 'nosniff');
  };
  await server.register(fastifyStatic, { root: folder('../../src/daemon/page/'), prefix: '/', setHeaders });
  const some = async (prefix: string, root: string, ...names: readonly string[]) => {
    const allowedPath = (path: string) => names.includes(path.slice(1));
    await server.register(fastifyStatic, { root, prefix, decorateReply: false, allowedPath });
  };
  const uplot = fileURLToPath(new URL('.', import.meta.resolve('uplot')));
  await some('/uplot/', uplot, 'uPlot.esm.js', 'uPlot.min.css');
  await some('/core/', folder('../../dist/core/'), 'units.js');
}

function isOwnName(hostname: string): boolean {
  return hostname === 'localhost' || /^[\d.]+$/.test(hostname) || hostname.startsWith('[');
}
