import { basename, dirname } from 'node:path';
import { Failure, reasonOf } from '../platform/failure.ts';
import { throughShortPath } from '../platform/local-socket.ts';
import { Qmp, TAKEN } from './qmp.ts';

/** Why somebody else's monitor cannot be connected to (connect(2)). */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'nobody listens there, and there is no such file',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'no permission to connect',
  EPERM: 'no permission to connect',
  EAGAIN: TAKEN,
};

/**
 * The monitor of a QEMU that somebody else has started.
 * @throws Failure in one line: nobody listens there, no permission, not a monitor, or not one that is free
 */
export async function connectMonitor(socket: string): Promise<Qmp> {
  try {
    return await throughShortPath(dirname(socket), basename(socket), (path) =>
      Qmp.connect(path, (code) => WHY[code] ?? `it cannot be connected to (${code})`),
    );
  } catch (cause) {
    throw new Failure(`${socket}: ${reasonOf(cause)}; a monitor of QEMU that nobody else uses is needed`);
  }
}
