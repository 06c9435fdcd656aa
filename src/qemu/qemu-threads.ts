import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure } from '../platform/failure.ts';
import { threadsOf } from './known-machine.ts';
import type { Qmp } from './qmp.ts';

/** The threads of a QEMU as this host numbers them. */
export interface QemuThreads {
  /** Also the number of its first thread. */
  readonly process: number;
  /** One for each of the machine's processors. */
  readonly processors: readonly number[];
}

/**
 * Its monitor says the numbers that they have where it runs. In a container these are others than here, and may be somebody else's: only
 * those of one process that is a QEMU are taken for its own.
 * @throws Failure they are not seen from here
 */
export async function qemuThreads(qmp: Qmp): Promise<QemuThreads> {
  const processors = await threadsOf(qmp);
  const owners = new Set(processors.map(processOf));
  const [process] = owners;
  if (owners.size !== 1 || process === undefined || !isQemu(process)) {
    throw new Failure('its threads are not seen from here: it runs in another container, or as another user');
  }
  return { process, processors };
}

/** The thread that sends its migration, while there is one. @throws Failure there is none, or it is not seen from here */
export async function migrationThread(qmp: Qmp, process: number): Promise<number> {
  const threads = await qmp.execute<readonly { readonly 'thread-id': number }[]>('query-migrationthreads');
  const own = threads.map((one) => one['thread-id']).find((thread) => processOf(thread) === process);
  if (own === undefined) throw new Failure('the thread of its migration is not seen from here');
  return own;
}

/** Of a thread, as this host numbers it; undefined: it is not seen. */
export function processOf(thread: number): number | undefined {
  const status = orNothing(() => readFileSync(`/proc/${thread}/status`, 'utf8'));
  const found = /^Tgid:\s+(\d+)$/m.exec(status ?? '');
  return found ? Number(found[1]) : undefined;
}

/** CPU time that a thread has used, by the kernel's account; undefined: it has ended. */
export function usedBy(process: number, thread: number): number | undefined {
  const account = orNothing(() => readFileSync(`/proc/${process}/task/${thread}/schedstat`, 'utf8'));
  return account === undefined ? undefined : Number(account.split(' ')[0]);
}

/** `qemu-system-…`, or as distributions name it. */
function isQemu(process: number): boolean {
  return /qemu|kvm/.test(basename(orNothing(() => readlinkSync(`/proc/${process}/exe`)) ?? ''));
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
