/** Neighbouring pages of an address space. */
export interface Stretch {
  readonly firstPage: number;
  readonly pages: number;
}

/** Memory that is read while its owner goes on writing it. */
export interface WatchedMemory {
  /** Whose it is, for people. */
  readonly source: string;
  readonly pageSizeBytes: number;
  /** What of it is left out, and why. */
  readonly leftOut: ReadonlySet<string>;
  /**
   * The pages that are there now, in ascending order.
   * @throws Failure its owner is gone
   */
  stretches(): Iterable<Stretch>;
  /** Reads pages; returns how many bytes were read: fewer where a page cannot be read. */
  read(into: Uint8Array, offset: number, length: number, firstPage: number): number;
  close(): void;
}
