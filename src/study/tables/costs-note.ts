import type { PredictedMachine } from '../../core/machine-costs.ts';

/** Below a table with figures of virtual time: what hashing and the hand-over take there. */
export function costsNote(machine: PredictedMachine | undefined): string {
  if (!machine) {
    return 'In virtual time hashing and the hand-over take no time but sender.cpuPerHandover and link.latency, because no machine profile is given (--machine FILE).';
  }
  const { name, sha256, world } = machine;
  return `In virtual time hashing and the hand-over take what world ${world} takes on the machine '${name}' (its profile's SHA-256 begins with ${sha256.slice(0, 12)}).`;
}
