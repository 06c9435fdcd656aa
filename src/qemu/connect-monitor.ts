import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { Failure, reasonOf } from '../platform/failure.ts';
import { askSocket, throughShortPath } from '../platform/local-socket.ts';
import { domainOf } from './domain-address.ts';
import { connectDomain, domainRuns } from './libvirt-domain.ts';
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
 * @param socket its path, or `libvirt:` and the name of a domain
 * @throws Failure in one line: nobody listens there, no permission, not a monitor, or not one that is free
 */
export async function connectMonitor(socket: string): Promise<Qmp> {
  const domain = domainOf(socket);
  if (domain !== undefined) return connectDomain(domain);
  try {
    return await throughShortPath(dirname(socket), basename(socket), (path) =>
      Qmp.connect(path, (code) => WHY[code] ?? `it cannot be connected to (${code})`),
    );
  } catch (cause) {
    throw new Failure(`${socket}: ${reasonOf(cause)}; a monitor of QEMU that nobody else uses is needed`);
  }
}

/** The same from whichever folder it is asked for. */
export function absoluteAddress(socket: string): string {
  return domainOf(socket) === undefined ? resolve(socket) : socket;
}

/** Whether somebody listens there, or may: it cannot always be told. @throws Failure libvirt cannot be asked */
export async function isMonitorThere(socket: string): Promise<boolean> {
  const domain = domainOf(socket);
  if (domain !== undefined) return domainRuns(domain);
  const isThere = statSync(socket, { throwIfNoEntry: false }) !== undefined;
  return isThere && (await askSocket(dirname(socket), basename(socket))) !== 'refuses';
}
