import { formatDuration, formatRate } from './built/units.js';

export { formatSize as size } from './built/units.js';

/** Three significant digits: 281 ms, 4.26 s, 17 µs. */
export function duration(ns) {
  return ns === null || ns === undefined ? '–' : formatDuration(ns);
}

/** In decimal bits, as links are sold. */
export function rate(bytesPerSecond) {
  return bytesPerSecond === null ? 'unlimited' : formatRate(bytesPerSecond);
}

export function count(number) {
  return number.toLocaleString('en');
}

/** The time of day, of something of today; otherwise the date too. */
export function when(iso) {
  const date = new Date(iso);
  const time = date.toTimeString().slice(0, 8);
  return date.toDateString() === new Date().toDateString()
    ? time
    : `${date.toISOString().slice(0, 10)} ${time}`;
}

export function reservation(reserved) {
  return reserved ? `${duration(reserved.budgetNs)} of ${duration(reserved.periodNs)}` : '–';
}
