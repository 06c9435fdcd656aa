import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main, switchover } from '../fixtures/command.ts';

let folder: string;
let scenario: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  scenario = join(folder, 'small.yaml');
  writeFileSync(
    scenario,
    'guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }\nlink: { rate: 100Mbit/s }\nmigration: { observe: 400ms }\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function keyFile(name: string, bytes: Uint8Array, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  chmodSync(file, mode);
  return file;
}

/** A `receive` in a process of its own; its lines as they come. */
async function receiving(...args: string[]) {
  const receiver = spawn(process.execPath, [main, 'receive', ...args]);
  const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
  const address = /listening on (\S+)/.exec((await lines.next()).value)![1]!;
  return {
    address,
    line: async () => (await lines.next()).value as string,
    end: () => receiver.kill('SIGTERM'),
  };
}

const run = (to: string, ...args: string[]) =>
  switchover('run', scenario, '--world', 'threads', '--quiet', '--to', to, ...args);

describe('--key-file', () => {
  test('the same at both ends: migrations beyond loopback', async () => {
    const key = keyFile('key', randomBytes(32));
    const { address, line, end } = await receiving('--listen', '0.0.0.0:0', '--key-file', key);
    try {
      const here = address.replace('0.0.0.0', '127.0.0.1');
      expect(await run(here, '--key-file', key)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('The stream was encrypted from the shared key (TLSv1.3, '),
      });
      expect(await line()).toContain('retired; encrypted from the shared key (TLSv1.3, ');

      const wrong = await run(here, '--key-file', keyFile('other', randomBytes(32)));
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(`${here}: wrong key`) });
      expect(await line()).toContain('refused: wrong key');

      const none = await run(here);
      expect(none.code).toBe(1);
      expect(none.stderr).toContain(
        'the source does not encrypt, and this destination does: give both the same key',
      );
      expect(await line()).toContain('refused: the source does not encrypt');
    } finally {
      end();
    }
  });

  test('at the source only: refused, naming who has none', async () => {
    const { address, end } = await receiving();
    try {
      const ended = await run(address, '--key-file', keyFile('mine', randomBytes(40)));
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain(
        `${address}: the destination does not encrypt, and this source does: give both the same key`,
      );
    } finally {
      end();
    }
  });

  test('with --tls off at both ends: a migration in plain, and both say so', async () => {
    const key = keyFile('plain', randomBytes(32));
    const { address, line, end } = await receiving('--key-file', key, '--tls', 'off');
    try {
      const ended = await run(address, '--key-file', key, '--tls', 'off');
      expect(ended.code).toBe(0);
      expect(ended.stdout).toContain('The stream was not encrypted: TLS was turned off.');
      expect(await line()).toContain('retired; not encrypted');
      expect((await run(address, '--key-file', key)).stderr).toContain('the destination does not encrypt');
    } finally {
      end();
    }
  });

  const refusals: [string, () => string, number, RegExp][] = [
    [
      'readable by all',
      () => keyFile('open', randomBytes(32), 0o644),
      2,
      /chmod 600 .*open, found "mode 644"/,
    ],
    [
      'readable by the group',
      () => keyFile('group', randomBytes(32), 0o640),
      2,
      /chmod 600 .*, found "mode 640"/,
    ],
    [
      'too short',
      () => keyFile('short', randomBytes(31)),
      2,
      /--key-file: expected 32 to 65536 bytes.*found "31 bytes"/,
    ],
    ['a folder', () => folder, 2, /--key-file: expected a file/],
    ['absent', () => join(folder, 'nowhere'), 1, /cannot read .*nowhere: ENOENT/],
  ];
  test.each(refusals)('%s: refused by both ends, with what to do', async (_, file, code, message) => {
    for (const ended of [
      await switchover('receive', '--key-file', file()),
      await run('127.0.0.1:1', '--key-file', file()),
    ]) {
      expect(ended.code).toBe(code);
      expect(ended.stderr).toMatch(message);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
    }
  });

  test('without --to there is nobody to prove it to; exit 2', async () => {
    const ended = await switchover('run', scenario, '--key-file', keyFile('lonely', randomBytes(32)));
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--key-file: expected to be used together with --to HOST:PORT');
  });
});

test('without a key receive listens on loopback only, and says what to do; exit 2', async () => {
  const ended = await switchover('receive', '--listen', '0.0.0.0:0');
  expect(ended.code).toBe(2);
  expect(ended.stderr).toBe(
    'switchover: listening on 0.0.0.0 needs a key: give one with --key-file, or certificates with --tls-cert, or listen on 127.0.0.1\n',
  );
});

test('receive --help says that everything is encrypted', async () => {
  const { stdout } = await switchover('receive', '--help');
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('everything is encrypted (TLS 1.3)');
});

describe('--tls-cert, --tls-key and --tls-ca', () => {
  test('go together, not with --tls off, and not without --to: all of it is said, exit 2', async () => {
    const some = await run('127.0.0.1:1', '--tls-cert', 'host.pem', '--tls', 'off');
    expect(some.code).toBe(2);
    expect(some.stderr.trim().split('\n')).toEqual([
      expect.stringContaining('--tls-key: expected a file: --tls-cert, --tls-key and --tls-ca go together'),
      expect.stringContaining('--tls-ca: expected a file'),
      expect.stringContaining('--tls: expected no certificates beside it, found "off"'),
    ]);
    const alone = await switchover('run', scenario, '--tls-cert', 'host.pem', '--tls', 'off');
    expect(alone.code).toBe(2);
    expect(alone.stderr).toMatch(/--tls: .*--to HOST:PORT.*\n.*--tls-cert: .*--to HOST:PORT/);
  });

  test.each([
    ['no certificate', '--tls-cert: expected a certificate in PEM'],
    ['no key', '--tls-key: expected a private key in PEM without a passphrase'],
  ])('%s is said with the name of the file', async (_, message) => {
    const noise = keyFile('noise.pem', randomBytes(300));
    const ended = await switchover(
      ...['receive', '--tls-cert', noise, '--tls-key', noise, '--tls-ca', noise],
    );
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toContain('noise.pem');
  });
});
