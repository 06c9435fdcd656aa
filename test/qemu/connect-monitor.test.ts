import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Failure } from '../../src/platform/failure.ts';
import { connectMonitor } from '../../src/qemu/connect-monitor.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-monitor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function refusalOf(socket: string): Promise<string> {
  const cause = await connectMonitor(socket).catch((thrown: unknown) => thrown);
  expect(cause).toBeInstanceOf(Failure);
  return (cause as Failure).message;
}

test('a monitor that is not there says so in one line', async () => {
  const socket = join(folder, 'none');
  expect(await refusalOf(socket)).toBe(
    `${socket}: nobody listens there, and there is no such file; a monitor of QEMU that nobody else uses is needed`,
  );
});

test('a file that is no socket is told apart from one that is missing', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(await refusalOf(file)).toContain(`${file}: nobody listens there;`);
});

test('a path that is longer than the address of a socket can be is no other path', async () => {
  const socket = join(folder, 'x'.repeat(120));
  expect(await refusalOf(socket)).toContain(`${socket}: its name is too long for a socket`);
});

test('a socket that others may not use says so', async ({ skip }) => {
  skip(process.getuid?.() === 0, 'root may use any socket');
  const socket = join(folder, 'mine');
  const server = createServer();
  await new Promise<void>((ready) => server.listen(socket, ready));
  chmodSync(socket, 0);
  expect(await refusalOf(socket)).toContain(`${socket}: no permission to connect`);
  server.close();
});

test('who says more in a line than any monitor is not listened to', async () => {
  const socket = join(mkdtempSync(join(folder, 'endless-')), 'socket');
  const server = createServer((client) => {
    client.on('error', () => {}).resume();
    const more = () => client.destroyed || client.write('x'.repeat(1 << 20), more);
    more();
  });
  await new Promise<void>((ready) => server.listen(socket, ready));
  expect(await refusalOf(socket)).toContain('what listens there is no monitor of QEMU');
  server.close();
});
