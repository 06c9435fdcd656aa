import { createHash } from 'node:crypto';
import { cpus, release, type } from 'node:os';
import type { Environment } from '../core/migration/record.ts';
import { version } from '../platform/package.ts';
import type { ScenarioCell } from '../scenario/scenario.ts';

/** What is carried out, with or without its seeds, and whatever else a cell or a migration has. */
type Settled = Pick<ScenarioCell, 'guest' | 'plan' | 'cpu' | 'machine'>;

/** This program and this host. */
export const host: Pick<Environment, 'version' | 'node' | 'kernel' | 'processor'> = {
  version,
  node: process.version,
  kernel: `${type()} ${release()}`,
  processor: cpus()[0]?.model.trim() || 'unknown',
};

/** What a record of this says of how it was made. */
export function environmentOf(settled: Settled): Environment {
  return { ...host, scenarioDigest: scenarioDigest(settled), machineProfile: profileOf(settled) };
}

export function profileOf({ machine }: Pick<Settled, 'machine'>): Environment['machineProfile'] {
  return machine ? { name: machine.name, sha256: machine.sha256 } : null;
}

/** The profile is told beside the digest; the others tell cells apart. */
const NOT_PART = ['machine', 'settings', 'fleet'];

/** SHA-256 of what is carried out, however its file writes it. */
export function scenarioDigest({ guest, plan, ...others }: Settled): string {
  const kept = Object.entries(others).filter(([key]) => !NOT_PART.includes(key));
  const whole = { guest: withoutSeed(guest), plan: withoutSeed(plan), ...Object.fromEntries(kept) };
  return createHash('sha256').update(canonicalJson(whole)).digest('hex');
}

function withoutSeed<Part extends object>(part: Part & { readonly seed?: number }): object {
  const { seed: _, ...rest } = part;
  return rest;
}

/** JSON with its keys in order. Infinite numbers, which JSON lacks, are written as text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}
