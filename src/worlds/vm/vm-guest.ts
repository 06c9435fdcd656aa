import type { Outage } from '../../core/migration/migration-result.ts';
import type { HeartbeatAddress } from '../../transport/hello.ts';
import type { Retired } from '../../transport/payloads.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { Completion } from '../outgoing/source-guest.ts';
import type { VirtualMachine, VirtualMachineOptions } from './virtual-machine.ts';

/** What runs in the machine that is moved, and who uses it meanwhile. */
export interface VmGuest {
  readonly machine: VirtualMachine;
  /** Where the guest sends its heartbeats, from either end, if its client listens to those. */
  readonly heartbeats: HeartbeatAddress | null;
  /** The longest gap that its client sees counts from here. */
  watchGaps(): void;
  /** The machine is about to be paused. */
  preparePause?(): Promise<void>;
  /** It runs at the destination: has it run on for a while, then retires it there, and compares. */
  completed(retire: () => Promise<Retired>): Promise<Completion>;
  /** It runs on here. */
  outage(): Promise<Outage | null>;
  end(): Promise<void>;
}

/** Where its machine keeps its files, and whether it may outlive this process. */
export type VmGuestPlace = Pick<VirtualMachineOptions, 'folder' | 'outlives'>;

/** Makes the guest of one migration. @throws Failure that is not possible; nothing has been left behind. */
export type BootVmGuest = (setup: MigrationSpec, place: VmGuestPlace) => Promise<VmGuest>;
