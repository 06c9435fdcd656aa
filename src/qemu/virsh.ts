import { execFile } from 'node:child_process';
import { Failure } from '../platform/failure.ts';

/** libvirt answers within milliseconds unless it waits for another job on the same domain. */
const ANSWER_MS = 10_000;

/** In its own language virsh says what it is understood by. Which libvirt it asks, LIBVIRT_DEFAULT_URI says, as always. */
export const virshEnvironment = { ...process.env, LC_ALL: 'C' };

export const NO_VIRSH = 'virsh is not installed (libvirt-clients)';

/** What a command of libvirt's shell prints. @throws Failure it is not installed, or libvirt's own reason */
export function virsh(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: virshEnvironment, timeout: ANSWER_MS };
    execFile('virsh', ['-q', ...args], options, (error, stdout, stderr) => {
      if (!error) resolve(stdout.trim());
      else reject(new Failure(error.code === 'ENOENT' ? NO_VIRSH : whyNot(stderr)));
    });
  });
}

/** The first thing that virsh calls an error. */
export function whyNot(stderr: string): string {
  return /^error: (.*)$/m.exec(stderr)?.[1] ?? 'libvirt does not answer';
}
