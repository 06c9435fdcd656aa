import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { orFailure } from '../../src/platform/failure.ts';
import { packageFolder } from '../../src/platform/package.ts';
import { cpio } from './cpio.ts';
import { linuxFiles } from './packages.ts';

/** What the guest's only program writes, in pages of 4 KiB (writer.c). */
export interface Writer {
  readonly pages: number;
  readonly hotPages: number;
  readonly hotPerSecond: number;
  readonly othersPerSecond: number;
  /** So many of it at once, each with pages of its own. */
  readonly processes?: number;
}

/** What the program has said last, on the guest's console. */
export interface WriterSaid {
  /** Since the guest booted, by its own clock. */
  readonly seconds: number;
  readonly hot: number;
  readonly others: number;
  /** Words that were not as they had been written: the most that one of the programs has found. */
  readonly errors: number;
}

/** QEMU's options for a Linux guest whose only program is the writer. */
export interface WritingGuest {
  readonly options: readonly string[];
  /** Undefined: it has said nothing yet. */
  said(): WriterSaid | undefined;
  remove(): void;
}

/** @throws Failure there is no gcc with a static C library, or no kernel can be had */
export async function writingGuest({
  pages,
  hotPages,
  hotPerSecond,
  othersPerSecond,
  processes = 1,
}: Writer): Promise<WritingGuest> {
  const { kernel, busybox } = await linuxFiles();
  const folder = mkdtempSync(join(tmpdir(), 'switchover-writer-'));
  const [initramfs, program, console] = ['initramfs', 'writer', 'console'].map((name) => join(folder, name));
  orFailure('cannot compile the writer', () =>
    execFileSync('gcc', [
      '-O2',
      '-static',
      '-o',
      program!,
      join(packageFolder, 'bench/linux-guest/writer.c'),
    ]),
  );
  const command = `/writer ${pages} ${hotPages} ${hotPerSecond} ${othersPerSecond}`;
  const init = `#!/bin/busybox sh\n${`${command} &\n`.repeat(processes - 1)}exec ${command}\n`;
  const file = (name: string, bytes: Uint8Array) => ({ kind: 'file', name, bytes, mode: 0o755 }) as const;
  const archive = cpio([
    { kind: 'folder', name: 'dev' },
    { kind: 'device', name: 'dev/console', major: 5, minor: 1 },
    // The shell gives it to what runs beside it.
    { kind: 'device', name: 'dev/null', major: 1, minor: 3 },
    { kind: 'folder', name: 'bin' },
    file('bin/busybox', readFileSync(busybox)),
    file('writer', readFileSync(program!)),
    file('init', Buffer.from(init)),
  ]);
  writeFileSync(initramfs!, gzipSync(archive, { level: 1 }));
  writeFileSync(console!, '');
  return {
    options: [
      ...['-kernel', kernel, '-initrd', initramfs!],
      // A QEMU that waits for the guest leaves what the guest has said to the one before it.
      ...['-chardev', `file,id=console,path=${console},append=on`, '-serial', 'chardev:console'],
      ...['-append', 'console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off random.trust_cpu=on'],
    ],
    said: () => lastSaid(console!),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const SAID = /writer ([\d.]+) s: (\d+) hot, (\d+) others, (\d+) errors/g;

function lastSaid(console: string): WriterSaid | undefined {
  const all = [...readFileSync(console, 'latin1').matchAll(SAID)].map((match) => match.slice(1).map(Number));
  const last = all.at(-1);
  if (!last) return undefined;
  const [seconds, hot, others] = last as [number, number, number];
  return { seconds, hot, others, errors: Math.max(...all.map((said) => said[3]!)) };
}
