import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Failure } from '../../../src/platform/failure.ts';
import { measureMachine } from '../../../src/run/prediction/measure-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-monitor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a socket on which nobody listens is named', async () => {
  const socket = join(folder, 'none');
  const refused = measureMachine(socket);
  await expect(refused).rejects.toThrow(Failure);
  await expect(refused).rejects.toThrow(`${socket}: nobody listens there`);
});

test.each([
  'HTTP/1.1 400 Bad Request\r\n\r\n',
  '5\n',
  'null\n',
])('a socket that says %j is no monitor', async (text) => {
  const server = createServer((client) => client.resume().end(text));
  const socket = join(folder, 'other');
  await new Promise<void>((ready) => server.listen(socket, ready));
  try {
    const refused = measureMachine(socket);
    await expect(refused).rejects.toThrow(/what listens there is no monitor of QEMU/);
    await expect(refused).rejects.toThrow(Failure);
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});

test('a monitor whose answers say nothing is none of QEMU', async () => {
  const server = createServer((client) => {
    client.write('{"QMP": {}}\n');
    client.on('data', (text) => {
      for (const [, id] of String(text).matchAll(/"id":(\d+)/g))
        client.write(`{"return": null, "id": ${id}}\n`);
    });
  });
  const socket = join(folder, 'mute');
  await new Promise<void>((ready) => server.listen(socket, ready));
  try {
    await expect(measureMachine(socket)).rejects.toThrow(`${socket}: it answers like no monitor of QEMU`);
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});
