import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameTypes } from '../../../src/core/wire/frames.ts';
import { encodeFrame } from '../../../src/transport/frame-writer.ts';
import { beginsWord, MachineChannel } from '../../../src/worlds/qemu/machine-channel.ts';

test('no frame begins as a word of a machine does', () => {
  const frames = fc.tuple(fc.constantFrom(...frameTypes), fc.nat(2 ** 31), fc.uint8Array({ maxLength: 64 }));
  fc.assert(
    fc.property(frames, ([type, argument, payload]) => {
      expect(beginsWord(encodeFrame(type, argument, payload))).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('the first word of a source is told from a frame', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const channel = new MachineChannel(connect(port, '127.0.0.1'));
  channel.say({ kind: 'prepare', guest: 'web', move: randomUUID() });
  const [socket] = await accepted;
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(beginsWord(head.subarray(0, 8))).toBe(true);
  channel.close();
  socket.destroy();
  server.close();
});
