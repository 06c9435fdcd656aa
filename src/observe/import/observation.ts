import type { Bytes, BytesPerSecond, Nanos } from '../../core/units.ts';

/** What a machine said of a migration at one instant. `null`: it did not say that. */
export interface Sample {
  /** Since the migration began. */
  readonly atNs: Nanos;
  /** QEMU's word for it, or that which means the same: setup, active, completed, failed, cancelled, postcopy-active … */
  readonly status: string | null;
  readonly leftBytes: Bytes | null;
  /** On the link, headers included. */
  readonly sentBytes: Bytes | null;
  /** Pages that were dealt with so far, those of zeros included. */
  readonly sentPages: number | null;
  readonly zeroPages: number | null;
  /** How often dirty pages were looked for; QEMU counts the look that marks all of them at the start. */
  readonly syncs: number | null;
  readonly dirtyPagesPerSecond: number | null;
  readonly rateBytesPerSecond: BytesPerSecond | null;
  readonly throttlePercent: number | null;
  readonly expectedDowntimeNs: Nanos | null;
  readonly downtimeNs: Nanos | null;
  /** Sent while the guest was stopped. */
  readonly downtimeBytes: Bytes | null;
  readonly postcopyRequests: number | null;
}

export const nothingSaid: Omit<Sample, 'atNs'> = {
  status: null,
  leftBytes: null,
  sentBytes: null,
  sentPages: null,
  zeroPages: null,
  syncs: null,
  dirtyPagesPerSecond: null,
  rateBytesPerSecond: null,
  throttlePercent: null,
  expectedDowntimeNs: null,
  downtimeNs: null,
  downtimeBytes: null,
  postcopyRequests: null,
};

/** Something that was not told exactly. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** So many different pages were dirtied within an exposure: a time that began with all of them clean. */
export interface Dirtied {
  /** The instant of the migration at which that was found out; null: it was measured apart from one. */
  readonly atNs: Nanos | null;
  readonly exposureNs: Nanos;
  readonly pages: Interval;
  /** How much of the guest's CPU time auto-converge took away meanwhile. */
  readonly throttlePercent: number;
}

/** What the migration was told to keep to, and how large the guest is. */
export interface Parameters {
  readonly pageSizeBytes: Bytes;
  readonly totalBytes: Bytes | null;
  /** So many of its pages hold zeros only. */
  readonly zeroPages: number | null;
  readonly maxBandwidthBytesPerSecond: BytesPerSecond | null;
  readonly downtimeLimitNs: Nanos | null;
  readonly availableSwitchoverBandwidthBytesPerSecond: BytesPerSecond | null;
  /** Whether bytes count against the limit of its bandwidth only once its buffer is flushed: from QEMU 8.1 on. */
  readonly countsFlushes: boolean | null;
  readonly autoConverge: boolean | null;
  readonly postcopy: boolean | null;
  readonly throttleInitialPercent: number | null;
  readonly throttleIncrementPercent: number | null;
  readonly maxThrottlePercent: number | null;
  readonly throttleTriggerPercent: number | null;
}

export const nothingSet: Parameters = {
  pageSizeBytes: 4096,
  totalBytes: null,
  zeroPages: null,
  maxBandwidthBytesPerSecond: null,
  downtimeLimitNs: null,
  availableSwitchoverBandwidthBytesPerSecond: null,
  countsFlushes: null,
  autoConverge: null,
  postcopy: null,
  throttleInitialPercent: null,
  throttleIncrementPercent: null,
  maxThrottlePercent: null,
  throttleTriggerPercent: null,
};

/** A part of the downtime, such as saving a device. */
export interface DowntimePart {
  readonly name: string;
  readonly ns: Nanos;
}

/** What one file says. */
export interface Told {
  readonly samples: readonly Sample[];
  /** What is left was rounded down to whole ones of these. Without: it is exact. */
  readonly leftUnitBytes?: Bytes;
  readonly dirtied?: readonly Dirtied[];
  readonly parameters?: Partial<Parameters>;
  readonly downtimeParts?: readonly DowntimePart[];
  /** Why it did not end as it should, in the machine's words. */
  readonly reason?: string | null;
  /** What could not be read, or is not in this format. */
  readonly missing?: readonly string[];
}

/** All that is known of one migration: the one form that all formats come to. */
export interface Observation {
  readonly samples: readonly Sample[];
  /** In the order of time; those that were measured apart come first. */
  readonly dirtied: readonly Dirtied[];
  readonly parameters: Parameters;
  readonly downtimeParts: readonly DowntimePart[];
  readonly reason: string | null;
}

/** A format of a real machine. */
export interface Format {
  readonly name: string;
  /** Whether a text looks like it. */
  recognises(text: string): boolean;
  /** Takes what it can: nothing readable is a `Told` without samples, curve points and parameters. */
  read(text: string): Told;
}
