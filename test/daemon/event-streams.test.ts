import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventStreams } from '../../src/daemon/event-streams.ts';
import { refusalOf } from '../../src/daemon/refusals.ts';

const streams = new EventStreams({ most: 3 });
const sockets: Socket[] = [];
let server: FastifyInstance;

beforeEach(async () => {
  server = fastify({ forceCloseConnections: true });
  server.get('/', (request, reply) => streams.open(request, reply));
  server.setErrorHandler((cause, _, reply) => reply.code(refusalOf(cause)!.status).send());
  await server.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

async function watcher(): Promise<Socket> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  const before = streams.count;
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await expect.poll(() => streams.count).toBe(before + 1);
  return socket;
}

test('a watcher that does not read is let go, and the others hear everything', async () => {
  const reads = await watcher();
  let heard = 0;
  reads.on('data', (bytes) => (heard += bytes.toString('latin1').split('event: pulse').length - 1));
  (await watcher()).pause();
  const value = 'x'.repeat(100_000);
  for (let count = 1; count <= 200; count++) {
    streams.tell({ kind: 'pulse', id: 'one', value });
    await expect.poll(() => heard, { interval: 1 }).toBe(count);
  }
  expect(streams.count).toBe(1);
});

test('more watchers than the most are refused, until one leaves', async () => {
  await expect.poll(() => streams.count).toBe(0);
  const first = await watcher();
  await watcher();
  await watcher();
  expect((await server.inject('/')).statusCode).toBe(429);
  first.destroy();
  await once(first, 'close');
  await expect.poll(() => streams.count).toBe(2);
  await watcher();
});
