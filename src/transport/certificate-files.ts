import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import type { Certificates } from './credentials.ts';
import { readSecret, readSmallFile } from './key-file.ts';

/** Where the files of an end's own certificate are, and where they were named. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * An end's own certificate with its private key, in PEM.
 * @param where the files were named
 * @throws Failure a file cannot be read
 * @throws UsageError all that is wrong with what they hold
 */
export function readOwnCertificate(files: CertificateFiles, where: CertificateFiles): CertificateFiles {
  const cert = readSmallFile(files.cert, where.cert).toString('latin1');
  const key = readSecret(files.key, where.key).toString('latin1');
  const problems: Problem[] = [];
  const certificate = parsed(() => new X509Certificate(cert));
  const privateKey = parsed(() => createPrivateKey(key));
  if (!certificate) problems.push(problem(where.cert, 'a certificate in PEM', files.cert));
  if (!privateKey) problems.push(problem(where.key, 'a private key in PEM without a passphrase', files.key));
  if (certificate) problems.push(...ageProblems(certificate, where.cert));
  if (certificate && privateKey && !belongTogether(certificate, privateKey)) {
    problems.push(problem(where.key, `the private key of ${files.cert}`, files.key));
  }
  if (problems.length > 0) throw new UsageError(problems);
  return { cert, key };
}

/**
 * The authorities whose certificates an end trusts, in PEM.
 * @throws Failure the file cannot be read
 * @throws UsageError it holds no certificate
 */
export function readAuthorities(file: string, where: string): Certificates['ca'] {
  const ca = readSmallFile(file, where).toString('latin1');
  if (parsed(() => new X509Certificate(ca))) return ca;
  throw new UsageError([problem(where, 'certificates of authorities in PEM', file)]);
}

function ageProblems({ validFrom, validTo }: X509Certificate, path: string): readonly Problem[] {
  const now = Date.now();
  if (now > Date.parse(validTo))
    return [{ path, expected: 'a certificate that is valid now', found: `one that expired on ${validTo}` }];
  if (now < Date.parse(validFrom))
    return [{ path, expected: 'a certificate that is valid now', found: `one from ${validFrom} on` }];
  return [];
}

function belongTogether(certificate: X509Certificate, privateKey: KeyObject): boolean {
  return certificate.checkPrivateKey(privateKey);
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function problem(path: string, expected: string, file: string): Problem {
  return { path, expected, found: shown(file) };
}
