import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Failure, reasonOf } from '../../src/platform/failure.ts';

const execute = promisify(execFile);

/** Debian's names; the first depends on the kernel of the day. */
const KERNEL = 'linux-image-cloud-amd64';
const BUSYBOX = 'busybox-static';

/** Where they are kept for the next time. */
export const packagesFolder = join(tmpdir(), 'switchover-linux-packages');

/** What a Linux guest is made of. */
export interface LinuxFiles {
  readonly kernel: string;
  /** `kernel/` of its modules. */
  readonly modules: string;
  readonly busybox: string;
}

/**
 * Debian's kernel and busybox, unpacked and not installed.
 * @throws Failure they are not there and cannot be downloaded
 */
export async function linuxFiles(): Promise<LinuxFiles> {
  const folder = packagesFolder;
  if (!existsSync(folder)) await download(folder);
  const only = (below: string, name: RegExp) => {
    const found = readdirSync(join(folder, below)).find((file) => name.test(file));
    if (!found) throw new Failure(`no ${name.source} in ${join(folder, below)}: remove the folder ${folder}`);
    return join(folder, below, found);
  };
  return {
    kernel: only('boot', /^vmlinuz-/),
    modules: join(only('lib/modules', /-cloud-amd64$/), 'kernel'),
    busybox: only('bin', /^busybox$/),
  };
}

/** Into a temporary folder first, so that no other process finds half of it. */
async function download(folder: string): Promise<void> {
  const partial = `${folder}.${process.pid}`;
  try {
    mkdirSync(partial, { recursive: true });
    const { stdout } = await execute('apt-cache', ['depends', KERNEL]);
    const kernel = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
    if (!kernel) throw new Failure(`apt does not know ${KERNEL}: run apt-get update`);
    await execute('apt-get', ['download', kernel, BUSYBOX], { cwd: partial });
    for (const name of readdirSync(partial)) {
      await execute('dpkg-deb', ['-x', join(partial, name), partial]);
      rmSync(join(partial, name));
    }
    renameSync(partial, folder);
  } catch (cause) {
    throw new Failure(`cannot get the kernel for a Linux guest: ${reasonOf(cause)}`);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
