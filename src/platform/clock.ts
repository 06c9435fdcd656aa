/** The monotonic clock in ns: the same one in every thread and every process of a host. */
export function clockNs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e9 + nanos;
}
