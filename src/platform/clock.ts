/** The monotonic clock in ns: the same one in every thread and every process of a host. Nothing else is waited by. */
export function clockNs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e9 + nanos;
}

/** The wall clock, which may be set: for what is shown, and for dates that others have written. ms since 1970. */
export function wallClockMs(): number {
  return Date.now();
}

/** The same, in the words of ISO 8601. */
export function timestamp(): string {
  return new Date(wallClockMs()).toISOString();
}
