import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { MEMORY_FILES } from './qemu.ts';

/** `machineFolder` of qemu.ts gives this name. */
const OF_A_MACHINE = /^switchover-[0-9a-f-]{36}-(source|destination)$/;

/** Those of machines that end with this process. */
const owned = new Map<string, Server>();

/**
 * A machine's folder that goes with this process: at its end, or, if the process is killed, when the next one makes a folder.
 * Only this user can look into it.
 */
export async function makeOwnFolder(folder: string): Promise<void> {
  await removeLeftFolders();
  if (owned.size === 0) watchEnd();
  mkdirSync(folder, { mode: 0o700 });
  const owner = createServer((socket) => socket.destroy()).listen(ownerOf(folder));
  await once(owner, 'listening');
  owned.set(folder, owner.unref());
}

/** A folder of either kind: of a machine that ends with this process, or outlives it. */
export function removeFolder(folder: string): void {
  owned.get(folder)?.close();
  owned.delete(folder);
  if (owned.size === 0) unwatchEnd();
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Those of processes that were killed. A process that lives answers on the socket in its folder, wherever the folder is seen
 * from; where there is no such socket nothing is known, and the folder stays.
 */
async function removeLeftFolders(): Promise<void> {
  const folders = readdirSync(MEMORY_FILES).filter((name) => OF_A_MACHINE.test(name));
  await Promise.all(
    folders.map(async (name) => {
      const folder = join(MEMORY_FILES, name);
      if (await isLeft(folder)) rmSync(folder, { recursive: true, force: true });
    }),
  );
}

/** Whether its owner has ended. */
function isLeft(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(ownerOf(folder));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function watchEnd(): void {
  process.on('exit', removeOwned);
  for (const signal of signals) process.on(signal, endBy);
}

function unwatchEnd(): void {
  process.off('exit', removeOwned);
  for (const signal of signals) process.off(signal, endBy);
}

/** A signal that nobody else attends to ends the process, as it would without us. */
function endBy(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removeOwned();
  unwatchEnd();
  process.kill(process.pid, signal);
}

function removeOwned(): void {
  for (const folder of owned.keys()) rmSync(folder, { recursive: true, force: true });
}

/** The socket on which the process answers to which the machine of this folder belongs. */
function ownerOf(folder: string): string {
  return join(folder, 'owner');
}
