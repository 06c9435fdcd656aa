import type { Duplex } from 'node:stream';
import type { Nanos } from '../../core/units.ts';
import type { Place } from './machine-journal.ts';
import type { NetworkWire } from './network-wire.ts';

/** Where a machine goes, and what the source end asks of it. */
export interface QemuDestination {
  /** By which it is found again after this process was killed. */
  place(): Promise<Place>;
  /** Has it wait for the stream, paused. @returns the connection over which the stream goes @throws Failure it refuses */
  connect(): Promise<Duplex>;
  /** What becomes of the stream on the network. Not there: it does not leave this host. */
  readonly wire?: NetworkWire;
  /** It has everything, by this host's clock. */
  readonly completed: Promise<Nanos>;
  /** The source has handed the machine over: it runs. @returns since when, by this host's clock */
  run(): Promise<Nanos>;
  /** Writes the machine's memory into a file on this host. Not there: it is on another one. */
  dumpMemory?(file: string): Promise<void>;
  /** The machine is not to run there: it has stayed at its source. */
  abandon(): Promise<void>;
  close(): void;
}
