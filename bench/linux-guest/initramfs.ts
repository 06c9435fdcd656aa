import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Failure, orFailure } from '../../src/platform/failure.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import type { LinuxFiles } from './packages.ts';

/** In the order in which they need each other: a network card for virtual machines. */
const MODULES = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
];

const SERVICE = 'redis-server';
/** Nothing is kept on a disk, and what it does for itself, it does once a second instead of ten times. */
const SETTINGS = "--dir /tmp --save '' --appendonly no --hz 1 --dynamic-hz no --protected-mode no";
/** Runs another program as a real-time task. */
const CHRT = 'chrt';

/** Where the guest's service listens. */
export interface ServiceAddress {
  readonly host: string;
  readonly prefixBits: number;
  readonly port: number;
}

/**
 * A Linux system whose only program is a service: this host's Redis, that keeps all in memory. It is a real-time task, so that what
 * the kernel has put off while the machine was paused does not come before an answer.
 * @throws Failure there is no Redis on this host
 */
export function initramfs(files: LinuxFiles, address: ServiceAddress): Buffer {
  const modules = MODULES.map((path) => join(files.modules, `${path}.ko`));
  const linked = [SERVICE, CHRT].map(programOf);
  const programs = [...linked, files.busybox];
  const libraries = new Set(linked.flatMap(librariesOf));
  const copied = [
    ...modules.map((path) => ['modules', nameOf(path), path] as const),
    ...programs.map((path) => ['bin', nameOf(path), path] as const),
    ...[...libraries].map((path) => [dirname(path).slice(1), nameOf(path), path] as const),
  ];
  const folders = new Set(['dev', 'proc', 'tmp', ...copied.flatMap(([folder]) => withParents(folder))]);
  const entries: readonly CpioEntry[] = [
    ...[...folders].map((name) => ({ kind: 'folder', name }) as const),
    { kind: 'device', name: 'dev/console', major: 5, minor: 1 },
    ...copied.map(([folder, name, path]) => fileOf(`${folder}/${name}`, readFileSync(path))),
    fileOf('init', Buffer.from(initOf(address))),
  ];
  return gzipSync(cpio(entries), { level: 1 });
}

function initOf({ host, prefixBits, port }: ServiceAddress): string {
  const names = MODULES.map((path) => `/modules/${nameOf(path)}.ko`);
  return `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
for module in ${names.join(' ')}; do /bin/busybox insmod $module; done
/bin/busybox ip link set lo up
/bin/busybox ip address add ${host}/${prefixBits} dev eth0
/bin/busybox ip link set eth0 up
exec /bin/${CHRT} --fifo 1 /bin/${SERVICE} ${SETTINGS} --port ${port} --bind ${host}
`;
}

function fileOf(name: string, bytes: Buffer): CpioEntry {
  return { kind: 'file', name, bytes, mode: 0o755 };
}

function programOf(name: string): string {
  try {
    return execFileSync('which', [name], { encoding: 'utf8' }).trim();
  } catch {
    throw new Failure(`a Linux guest needs ${name} on this host, and it is not installed`);
  }
}

/** Shared libraries that it is linked with, the loader among them. */
function librariesOf(program: string): readonly string[] {
  const said = orFailure(`cannot list the libraries of ${program}`, () =>
    execFileSync('ldd', [program], { encoding: 'utf8' }),
  );
  return [...said.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
}

function withParents(folder: string): readonly string[] {
  const parts = folder.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
