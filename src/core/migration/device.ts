import type { Bytes, Nanos } from '../units.ts';

/**
 * What the devices of a guest add to every stop, however few of its pages are dirty: their state, which can be read only
 * while they stand and follows the last pages at b_d, and a time that passes (QEMU, hw/vfio/migration.c: the data of
 * VFIO_DEVICE_STATE_STOP_COPY; Cloud Hypervisor: pausing, saving and restoring the devices).
 */
export interface Device {
  readonly stateBytes: Bytes;
  readonly timeNs: Nanos;
}
