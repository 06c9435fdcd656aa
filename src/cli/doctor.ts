import { dirname } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { usageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { writeText } from '../platform/text-file.ts';
import { examine } from '../run/doctor.ts';
import type { Exit } from './exit.ts';
import { print } from './standard-streams.ts';

interface Options {
  readonly profile?: string;
  readonly name?: string;
}

/** `switchover doctor`: what works on this machine, and what to do about what does not; or what things cost on it. */
export function doctorCommand(command: Command, exit: Exit): void {
  command
    .option(
      '--profile <file>',
      'measure what a hand-over costs on this machine, in under a minute, for --machine',
    )
    .option('--name <name>', 'with --profile, what the profile is called (default: the name of this host)')
    .action(async ({ profile, name }: Options) => {
      if (profile === undefined && name !== undefined) {
        throw usageError('--name', 'to be used together with --profile FILE', name);
      }
      exit(profile === undefined ? await examination() : await profileTo(profile, name));
    });
}

async function examination(): Promise<number> {
  const findings = await examine();
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { what, ok, found, remedy } of findings) {
    print(
      `${ok ? 'ok  ' : 'no  '} ${what.padEnd(width)}  ${found}${remedy ? `\n     ${''.padEnd(width)}  → ${remedy}` : ''}`,
    );
  }
  return findings.some(({ ok, needed }) => needed && !ok) ? 1 : 0;
}

/** @throws Failure it cannot be measured, or written */
async function profileTo(file: string, name?: string): Promise<number> {
  // What migrates is loaded only here.
  const { measureProfile } = await import('../run/profile/measure-profile.ts');
  const measured = await measureProfile(dirname(file), (what) => tell(`measuring ${what}\n`));
  writeText(file, stringify({ ...measured, ...(name !== undefined && { name }) }));
  return 0;
}
