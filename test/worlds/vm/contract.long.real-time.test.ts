import { describe } from 'vitest';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { contractOf } from '../contract.ts';

// World `qemu-native`, whose migration is QEMU's own, takes no steps.
describe.skipIf(withoutQemu !== undefined)('world vm', () => contractOf('vm'));
