import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { receivingServer } from '../../src/transport/receiving-server.ts';

let server: Server;
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function listening(most: number, accept: (socket: Socket) => void): Promise<() => Socket> {
  server = receivingServer(most, false, new Set(), accept).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return () => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    clients.push(client);
    return client;
  };
}

test('what is sent arrives, whole and in order, in memory that is used again', async () => {
  const sent = randomBytes(20 * 2 ** 20);
  const received = createHash('sha256');
  const memories = new Set<ArrayBufferLike>();
  const ended = new Promise((resolve) => {
    void listening(1, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.update(chunk);
        memories.add(chunk.buffer);
      });
      socket.on('end', resolve);
    }).then((dial) => dial().end(sent));
  });
  await ended;
  expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  expect(memories.size).toBe(1);
});

test('both ends hear of it when the other one has hung up', async () => {
  const accepted: Socket[] = [];
  const dial = await listening(2, (socket) => accepted.push(socket.resume()));
  const [first, second] = [dial(), dial()];
  await Promise.all([once(first, 'connect'), once(second, 'connect')]);
  await expect.poll(() => accepted.length).toBe(2);
  const gone = once(accepted[0]!, 'close');
  first.destroy();
  await gone;
  const heard = once(second, 'close');
  accepted[1]!.destroy();
  second.resume();
  await heard;
});

test('whoever comes when there are as many as may is hung up on, until one has gone', async () => {
  const accepted: Socket[] = [];
  const dial = await listening(1, (socket) => accepted.push(socket.resume()));
  const first = dial();
  await expect.poll(() => accepted.length).toBe(1);
  const refused = dial().resume();
  await once(refused, 'close');
  expect(accepted).toHaveLength(1);
  const gone = once(accepted[0]!, 'close');
  first.destroy();
  await gone;
  dial();
  await expect.poll(() => accepted.length).toBe(2);
});

test('who has said nothing for as long as it may is told of, and its socket can be closed', async () => {
  const timeout = new Promise<void>((resolve) => {
    void listening(1, (socket) => {
      socket.setTimeout(100, () => {
        socket.destroy();
        resolve();
      });
    }).then((dial) => dial());
  });
  await timeout;
});
