import { dirname } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { usageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { writeText } from '../platform/text-file.ts';
import { examine, type Finding } from '../run/doctor.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { addDomainOption, type MonitorOptions, withMonitor } from './monitor-option.ts';
import { jsonOption, type OutputOptions, quietOption, wideOption, widthOf } from './output-options.ts';
import { print } from './standard-streams.ts';

interface Options extends OutputOptions, MonitorOptions {
  readonly profile?: string;
  readonly name?: string;
}

/** `switchover doctor`: what works on this machine, and what to do about what does not; or what things cost on it. */
export function doctorCommand(command: Command, exit: Exit): void {
  addDomainOption(
    command
      .option(
        '--profile <file>',
        'measure what a hand-over costs on this machine, in under a minute, for --machine',
      )
      .option(
        '--qmp <socket>',
        'say whether the VM of this monitor of QEMU can be rehearsed, and moved under a plan',
      ),
  )
    .option('--name <name>', 'with --profile, what the profile is called (default: the name of this host)')
    .addOption(jsonOption())
    .addOption(wideOption())
    .addOption(quietOption())
    .action(async (given: Options) => {
      const options = withMonitor(given);
      const { profile, name } = options;
      if (profile === undefined && name !== undefined) {
        throw usageError('--name', 'to be used together with --profile FILE', name);
      }
      if (profile !== undefined && options.qmp !== undefined) {
        throw usageError('--qmp', 'only one of --qmp and --profile', options.qmp);
      }
      exit(profile === undefined ? await examination(options) : await profileTo(profile, options));
    });
}

async function examination(options: Options): Promise<number> {
  const findings = await found(options);
  if (writeJson(options.json, () => ({ findings }))) {
    const width = Math.max(...findings.map(({ what }) => what.length));
    const lines = findings.flatMap(({ what, ok, found, remedy }) => [
      `${ok ? 'ok  ' : 'no  '} ${what.padEnd(width)}  ${found}`,
      ...(remedy ? [`     ${''.padEnd(width)}  → ${remedy}`] : []),
    ]);
    print(folded(lines.join('\n'), widthOf(options)));
  }
  return findings.some(({ ok, needed }) => needed && !ok) ? 1 : 0;
}

async function found({ qmp }: Options): Promise<readonly Finding[]> {
  if (qmp === undefined) return examine();
  // What speaks to QEMU is loaded only here.
  const { examineMachine } = await import('../run/doctor-machine.ts');
  return examineMachine(qmp);
}

/** @throws Failure it cannot be measured, or written */
async function profileTo(file: string, { name, json, quiet }: Options): Promise<number> {
  // What migrates is loaded only here.
  const { measureProfile } = await import('../run/profile/measure-profile.ts');
  const told = (what: string) => (quiet ? undefined : tell(`measuring ${what}\n`));
  const measured = await measureProfile(dirname(file), told);
  const profile = { ...measured, ...(name !== undefined && { name }) };
  writeText(file, stringify(profile));
  writeJson(json, () => profile);
  return 0;
}
