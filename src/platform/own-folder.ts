import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wallClockMs } from './clock.ts';
import { orFailure } from './failure.ts';
import { LifeSign } from './life-sign.ts';
import { askSocket } from './local-socket.ts';

/** So long a process may take to show that it lives in a folder that it has made. */
const SIGNED_WITHIN_MS = 60_000;

/** A folder in /tmp that this process has for a while, and shows to be its own: whoever comes later finds what it could not remove. */
export class OwnFolder {
  readonly path: string;
  readonly #sign: LifeSign;

  private constructor(path: string, sign: LifeSign) {
    this.path = path;
    this.#sign = sign;
  }

  /** @throws Failure there is no room for one */
  static async make(prefix: string, mode = 0o700): Promise<OwnFolder> {
    const path = orFailure(`cannot make a folder in ${tmpdir()}`, () => {
      const made = mkdtempSync(join(tmpdir(), prefix));
      chmodSync(made, mode);
      return made;
    });
    return new OwnFolder(path, await LifeSign.show(path));
  }

  remove(): void {
    this.#sign.withdraw();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Those of processes that have ended without removing them. */
export async function foldersLeft(prefix: string): Promise<readonly string[]> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(prefix));
  const left = [];
  for (const folder of folders.map((name) => join(tmpdir(), name)))
    if (await isLeft(folder)) left.push(folder);
  return left;
}

/** One that cannot be looked into is somebody else's. */
async function isLeft(folder: string): Promise<boolean> {
  try {
    const sign = readdirSync(folder).find((name) => name.endsWith('.life'));
    if (sign === undefined) return wallClockMs() - statSync(folder).mtimeMs > SIGNED_WITHIN_MS;
    return (await askSocket(folder, sign)) === 'refuses';
  } catch {
    return false;
  }
}
