import { type Command, Option } from 'commander';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { readAuthorities, readOwnCertificate } from '../transport/certificate-files.ts';
import type { Certificates, Credentials } from '../transport/credentials.ts';
import { readKey } from '../transport/key-file.ts';

/** By what this end proves to another who it is, on the command line. */
export interface CredentialOptions {
  readonly keyFile?: string;
  readonly tls?: 'off';
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

const flags = {
  keyFile: '--key-file',
  tls: '--tls',
  tlsCert: '--tls-cert',
  tlsKey: '--tls-key',
  tlsCa: '--tls-ca',
} as const satisfies Record<keyof CredentialOptions, string>;

/** @param keyHelp what the key is for at this end */
export function addCredentialOptions(command: Command, keyHelp: string): Command {
  return command
    .option('--key-file <file>', keyHelp)
    .option('--tls-cert <file>', "encrypt from certificates instead: this host's, in PEM")
    .option('--tls-key <file>', 'its private key')
    .option('--tls-ca <file>', "the authority that signed the other host's")
    .addOption(new Option('--tls <off>', 'do not encrypt, although there is a key').choices(['off']));
}

/** @throws Failure a file cannot be read. @throws UsageError all that is wrong with the options, or with a file */
export function credentialsOf(options: CredentialOptions): Credentials {
  const key = options.keyFile === undefined ? null : readKey(options.keyFile);
  return { key, tls: certificatesOf(options) ?? options.tls };
}

/** Those that were given. */
export function givenCredentials(options: CredentialOptions): readonly (readonly [string, string])[] {
  return Object.entries(flags).flatMap(([name, flag]) => {
    const value = options[name as keyof CredentialOptions];
    return value === undefined ? [] : [[flag, value] as const];
  });
}

function certificatesOf({ tls, tlsCert, tlsKey, tlsCa }: CredentialOptions): Certificates | undefined {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  const parts = { [flags.tlsCert]: tlsCert, [flags.tlsKey]: tlsKey, [flags.tlsCa]: tlsCa };
  const problems: Problem[] = Object.entries(parts)
    .filter(([, file]) => file === undefined)
    .map(([path]) => ({
      path,
      expected: 'a file: --tls-cert, --tls-key and --tls-ca go together',
      found: 'nothing',
    }));
  if (tls === 'off')
    problems.push({ path: flags.tls, expected: 'no certificates beside it', found: shown('off') });
  if (problems.length > 0) throw new UsageError(problems);
  const own = { cert: tlsCert!, key: tlsKey! };
  return {
    ...readOwnCertificate(own, { cert: flags.tlsCert, key: flags.tlsKey }),
    ca: readAuthorities(tlsCa!, flags.tlsCa),
  };
}
