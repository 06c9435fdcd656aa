import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settleMachines } from '../../../src/worlds/qemu/settle-machines.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-settle-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a process that was killed had written of a move from a QEMU that has ended. */
function journalOf(destination: string): void {
  const process = { name: 'mover', host: 'elsewhere', pid: 1, boot: '', socket: '' };
  const source = { socket: join(folder, 'nobody'), machine: [1] };
  const begun = { format: 'switchover-machine/1', source, process };
  const line = JSON.stringify({ ...begun, destination: { socket: destination, machine: [2] } });
  writeFileSync(join(folder, '0123456789abcdef.machine.ndjson'), `${line}\n`);
}

/** A monitor that hangs up when it is connected to for the second time, and is gone if its QEMU ends with that. */
async function hangingUp(path: string, isEnding: boolean): Promise<Server> {
  let connections = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    connections += 1;
    if (connections < 2) return;
    socket.destroy();
    if (isEnding) server.close();
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

test('a destination that ends while it is asked is one that has ended', async () => {
  const socket = join(folder, 'destination');
  journalOf(socket);
  await hangingUp(socket, true);
  expect(await settleMachines(folder, ['mover'])).toMatchObject([{ did: 'stayed at its source' }]);
  expect(readdirSync(folder)).toEqual([]);
});

test('a destination that hangs up and does not end is left alone, and so is its journal', async () => {
  const socket = join(folder, 'destination');
  journalOf(socket);
  const server = await hangingUp(socket, false);
  expect(await settleMachines(folder, ['mover'])).toMatchObject([{ did: 'left alone' }]);
  expect(readdirSync(folder)).toContain('0123456789abcdef.machine.ndjson');
  server.close();
});
