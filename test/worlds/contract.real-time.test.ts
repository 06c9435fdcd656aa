import { describe, expect, test } from 'vitest';
import { worldFactory } from '../../src/worlds/worlds.ts';
import { smallSetup } from '../fixtures/setup.ts';
import { contractOf } from './contract.ts';

// That of world `vm`, which takes longer: vm/contract.long.real-time.test.ts.
describe.each(['virtual', 'threads'] as const)('world %s', contractOf);

test.each([
  'vm',
  'qemu-native',
] as const)('world %s refuses antagonists that it does not know', async (name) => {
  const factory = await worldFactory(name);
  try {
    const setup = { ...smallSetup(), antagonists: [{ kind: 'timer-noise', meanNs: 1e6 } as const] };
    await expect(factory.create(setup)).rejects.toThrow(/timer-noise is not supported in world/);
  } finally {
    await factory.close();
  }
});
