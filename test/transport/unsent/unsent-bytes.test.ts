import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { koffi } from '../../../src/platform/koffi.ts';
import { UnsentBytes } from '../../../src/transport/unsent/unsent-bytes.ts';
import { unsentQuestions } from '../../../src/transport/unsent/unsent-thread.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Both ends of a connection, of which the second does not read yet. */
async function connection(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [there] = (await once(server, 'connection')) as [Socket];
  server.close();
  sockets.push(here, there);
  return [here, there];
}

const descriptorOf = (socket: Socket) => (socket as Socket & { _handle: { fd: number } })._handle.fd;

test.skipIf(!koffi())(
  'the kernel tells what waits for a receiver that does not read, and that it has left when it does',
  async () => {
    const [here, there] = await connection();
    const unsent = new UnsentBytes(unsentQuestions());
    const wait = () => unsent.of(descriptorOf(here));
    await expect.poll(wait).toBe(0);
    while (here.write(Buffer.alloc(1 << 20)) || here.writableLength < 16 << 20);
    await expect.poll(wait).toBeGreaterThan(256 * 1024);
    there.resume();
    await expect.poll(() => here.writableLength).toBe(0);
    await expect.poll(wait).toBe(0);
    unsent.release();
  },
);

test('as many can ask at once as there are slots, and a slot that is released is there again', () => {
  const memory = unsentQuestions();
  const asking: UnsentBytes[] = [];
  expect(() => {
    for (;;) asking.push(new UnsentBytes(memory));
  }).toThrow('more than 256 migrations at once');
  asking.pop()!.release();
  asking.push(new UnsentBytes(memory));
  for (const one of asking) one.release();
});
