import { z } from 'zod';

/** A process by what it leaves in a folder. Host and number tell a reader where to look; they prove nothing. */
export interface ProcessIdentity {
  /** Of its sign in this folder, and never given again: host, number, and a random part. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** The boot of its kernel; empty where that is not to be had. */
  readonly boot: string;
  /** Inode and last change of its socket, by which it is told from a copy. */
  readonly socket: string;
}

const identity = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,100}$/),
  host: z.string(),
  pid: z.number().int().positive(),
  boot: z.string(),
  socket: z.string(),
});

/** Before processes had signs, these lines named them. Nothing can be proved of such a process. */
const withoutSign = z
  .strictObject({ host: z.string(), pid: z.number().int().positive(), started: z.string() })
  .transform(
    ({ host, pid }): ProcessIdentity => ({ name: nameOf(host, pid), host, pid, boot: '', socket: '' }),
  );

export const processSchema: z.ZodType<ProcessIdentity> = z.union([identity, withoutSign]);

/** Fit for a file name. */
export function nameOf(host: string, ...more: readonly (string | number)[]): string {
  return [host.replace(/[^\w.-]/g, '_').slice(0, 40), ...more].join('-');
}
