import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importTexts } from '../../../src/observe/import/formats.ts';
import { durationIn, sizeIn } from '../../../src/observe/import/key-values.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/import');
const files = readdirSync(folder).filter((name) => name.includes('.'));
const read = (text: string) => importTexts([{ name: 'log', text }]);
const line = (change: (text: string) => string) => (text: string) => text.replace(/^.+$/gm, change);

const time = '2026-01-02T03:04:05.123456789Z';
const journal = { __REALTIME_TIMESTAMP: '1767323045000000', SYSLOG_IDENTIFIER: 'virsh' };

/** What others put around a log, each with where it comes from. */
const added: Record<string, (text: string) => string> = {
  'lines that end as on Windows': (text) => text.replaceAll('\n', '\r\n'),
  'a byte order mark': (text) => `\ufeff${text}`,
  colours: line((text) => `\u001b[1;32m\u001b[K${text}\u001b[0m`),
  'journalctl -o short': line((text) => `Jan 02 03:04:05 node-1 virsh[4711]: ${text}`),
  'journalctl -o short-iso': line((text) => `2026-01-02T03:04:05+0100 node-1 virsh[4711]: ${text}`),
  'moreutils ts': line((text) => `Jan  2 03:04:05 ${text}`),
  'kubectl logs --timestamps': line((text) => `2026-01-02T03:04:05.123456789Z ${text}`),
  'kubectl logs --prefix': line((text) => `[pod/virt-launcher-vm-x2x4z/compute] ${text}`),
  'files of containerd': line((text) => `2026-01-02T03:04:05.123456789Z stdout F ${text}`),
  'docker compose logs': line((text) => `source-1  | ${text}`),
  // systemd, docs/JOURNAL_EXPORT_FORMATS.md: Journal JSON Format
  'journalctl -o json': line((text) => JSON.stringify({ ...journal, MESSAGE: text, _PID: '7' })),
  'journalctl -o json of bytes': line((text) =>
    JSON.stringify({ ...journal, MESSAGE: [...Buffer.from(text)] }),
  ),
  'journalctl -o json-pretty': line((text) =>
    JSON.stringify({ ...journal, MESSAGE: text }, null, '\t').replaceAll('":', '" :'),
  ),
  'journalctl -o json-sse': line((text) => `data: ${JSON.stringify({ ...journal, MESSAGE: text })}\n`),
  // moby, daemon/logger/jsonfilelog/jsonlog/jsonlog.go
  'json-file of Docker': line((text) => JSON.stringify({ log: `${text}\n`, stream: 'stdout', time })),
  'json-file of Docker, long lines in parts': line((text) =>
    [text.slice(0, 9), `${text.slice(9)}\n`]
      .map((log) => JSON.stringify({ log, stream: 'stdout', time }))
      .join('\n'),
  ),
};

describe.each(Object.entries(added))('%s', (_, add) => {
  test.each(files)('takes nothing from %s', (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(read(add(text))).toEqual(read(text));
  });
});

// virsh: vshPrint with %.3lf, and virshPrettyCapacity
test.each([
  ['1.5 GiB', 1.5 * 2 ** 30],
  ['1,500 GiB', 1.5 * 2 ** 30],
  ['4096', 4096],
  ['12 apples', null],
])('%s is a size', (text, bytes) => {
  expect(sizeIn(text)).toBe(bytes);
});

test.each([
  ['6100', 6.1e9],
  ['6100         ms', 6.1e9],
  ['6100 milliseconds', 6.1e9],
  ['6.1 s', 6.1e9],
  ['6100000 us', 6.1e9],
  ['soon', null],
])('%s is a time', (text, ns) => {
  expect(durationIn(text)).toBe(ns);
});
