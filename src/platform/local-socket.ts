import { randomBytes } from 'node:crypto';
import { rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Attempt } from '../core/life.ts';
import { Failure } from './failure.ts';

/** An address of a socket has at most 107 bytes, with some systems 103 (unix(7)). Node 20 and 22 cut off the rest. */
const LONGEST_BYTES = 103;

/**
 * Gives `act` a path to a socket in a folder that is short enough, and valid only meanwhile.
 * @throws Failure the name alone is too long
 */
export async function throughShortPath<T>(
  folder: string,
  name: string,
  act: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= LONGEST_BYTES) return act(path);
  const short = join(tmpdir(), `switchover-${randomBytes(4).toString('hex')}`);
  const through = join(short, name);
  if (Buffer.byteLength(through) > LONGEST_BYTES) throw new Failure('its name is too long for a socket');
  symlinkSync(resolve(folder), short);
  try {
    return await act(through);
  } finally {
    rmSync(short);
  }
}

/** Whether anybody listens there. The kernel answers, not the process: also at once for one that is frozen. */
export async function askSocket(folder: string, name: string): Promise<Attempt['answer']> {
  try {
    await throughShortPath(folder, name, connected);
    return 'accepts';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Its queue of connections is full: so there is one.
    if (code === 'EAGAIN') return 'accepts';
    return code === 'ECONNREFUSED' ? 'refuses' : 'cannot be asked';
  }
}

function connected(path: string): Promise<void> {
  return new Promise((done, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      done();
    });
    socket.once('error', reject);
  });
}
