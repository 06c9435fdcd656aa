import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Life, lifeFrom } from '../core/life.ts';
import { Failure, reasonOf } from './failure.ts';
import { askSocket, throughShortPath } from './local-socket.ts';
import { nameOf, type ProcessIdentity } from './process-identity.ts';

/**
 * Shows everybody who sees a folder that this process lives: a socket on which it listens. The kernel stops listening
 * when the process ends, however it ends, and accepts connections for one that is frozen; and it does not matter in
 * which namespaces the two are (docs/decisions/043-who-is-alive.md).
 */
export class LifeSign {
  readonly process: ProcessIdentity;
  readonly #server: Server | undefined;
  readonly #file: string;

  private constructor(process: ProcessIdentity, server: Server | undefined, file: string) {
    this.process = process;
    this.#server = server;
    this.#file = file;
  }

  /**
   * It keeps no process running. On a file system without sockets nothing is shown, and nothing can be proved.
   * @throws Failure the folder cannot be written
   */
  static async show(folder: string): Promise<LifeSign> {
    const name = nameOf(hostname(), process.pid, randomBytes(4).toString('hex'));
    const file = signOf(folder, name);
    const server = await listening(folder, `${name}.life`).catch((cause) => {
      if (NO_SOCKETS.includes(cause.code)) return undefined;
      throw new Failure(`cannot write ${file}, a socket: ${reasonOf(cause)}`);
    });
    const here = { name, host: hostname(), pid: process.pid, boot: bootOf(), socket: socketOf(file) };
    return new LifeSign(here, server, file);
  }

  /** Whether it is still where it was shown. */
  get isShown(): boolean {
    return socketOf(this.#file) === this.process.socket;
  }

  /** Also while the process ends. A socket that cannot be removed refuses from now on. */
  withdraw(): void {
    this.#server?.close();
    try {
      rmSync(this.#file, { force: true });
    } catch {}
  }
}

/** What can be said from here of the process that had this sign in this folder. */
export async function lifeOf(folder: string, { name, boot, socket }: ProcessIdentity): Promise<Life> {
  return lifeFrom({
    isOriginal: socket !== '' && socketOf(signOf(folder, name)) === socket,
    isSameKernel: boot !== '' && boot === bootOf(),
    isLocal: isLocal(folder),
    answer: await askSocket(folder, `${name}.life`),
  });
}

/** For the sign of a process that is known to have ended. */
export function removeSign(folder: string, name: string): void {
  rmSync(signOf(folder, name), { force: true });
}

function signOf(folder: string, name: string): string {
  return join(folder, `${name}.life`);
}

/**
 * The socket gets its name only when it is listened on, so that nobody finds it refusing before that; and as Node
 * removes what it has bound, but not this other name, it is still there to refuse when the process has ended.
 */
async function listening(folder: string, name: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).destroy());
  const unnamed = `${name}.new`;
  await throughShortPath(folder, unnamed, (path) => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // Whoever can look into the folder may ask.
      server.listen({ path, readableAll: true, writableAll: true }, resolve);
    });
  });
  server.unref();
  try {
    linkSync(join(folder, unnamed), join(folder, name));
  } catch (cause) {
    server.close();
    throw cause;
  } finally {
    rmSync(join(folder, unnamed), { force: true });
  }
  return server;
}

/** Empty: there is none, or none that may be looked at. */
function socketOf(file: string): string {
  try {
    const { ino, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${ctimeNs}`;
  } catch {
    return '';
  }
}

/** How bind(2) and link(2) say that a file system has no sockets, or no second names for them. */
const NO_SOCKETS = ['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL', 'EMLINK'];

function bootOf(): string {
  try {
    return process.platform === 'darwin'
      ? execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
      : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Linux's numbers of file systems on disks or in memory of this host (statfs(2)): ext, XFS, btrfs, F2FS, ZFS, bcachefs, tmpfs, overlayfs. */
const LOCAL = [
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x01021994, 0x794c7630],
];

function isLocal(folder: string): boolean {
  return process.platform === 'linux' && LOCAL.includes(statfsSync(folder).type);
}
