import type { Command } from 'commander';
import { examine } from '../run/doctor.ts';
import type { Exit } from './exit.ts';
import { print } from './standard-streams.ts';

/** `switchover doctor`: what works on this machine, and what to do about what does not. */
export function doctorCommand(command: Command, exit: Exit): void {
  command.action(async () => {
    const findings = await examine();
    const width = Math.max(...findings.map(({ what }) => what.length));
    for (const { what, ok, found, remedy } of findings) {
      print(
        `${ok ? 'ok  ' : 'no  '} ${what.padEnd(width)}  ${found}${remedy ? `\n     ${''.padEnd(width)}  → ${remedy}` : ''}`,
      );
    }
    exit(findings.some(({ ok, needed }) => needed && !ok) ? 1 : 0);
  });
}
