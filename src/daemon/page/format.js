import { formatDuration, formatRate } from './built/units.js';
import { h } from './dom.js';

export { formatSize as size } from './built/units.js';

/** Three significant digits: 281 ms, 4.26 s, 17 µs. */
export function duration(ns) {
  if (ns === null || ns === undefined) return '–';
  return ns < 0 ? `−${formatDuration(-ns)}` : formatDuration(ns);
}

/** In decimal bits, as links are sold. */
export function rate(bytesPerSecond) {
  if (bytesPerSecond === null) return 'unlimited';
  return bytesPerSecond < 0 ? `−${formatRate(-bytesPerSecond)}` : formatRate(bytesPerSecond);
}

export function count(number) {
  return number.toLocaleString('en');
}

export function processors(number) {
  return `${number.toFixed(2)} processors`;
}

const timeOfDayFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const wholeFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const zonedFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });

/** In the zone of whoever reads it. */
export function timeOfDay(date) {
  return timeOfDayFormat.format(date);
}

/** The time of day, of something of today; otherwise the date too. Both in the zone of whoever reads it. */
export function when(iso) {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  const shown = (isToday ? timeOfDayFormat : wholeFormat).format(date);
  return h('time', { datetime: iso, title: zonedFormat.format(date) }, shown);
}

/** The zone of whoever reads it. */
export function zone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function reservation(reserved) {
  return reserved ? `${duration(reserved.budgetNs)} of ${duration(reserved.periodNs)}` : '–';
}

/** A median and what is around it. */
export function spread({ medianNs, lowNs, highNs }) {
  if (lowNs === highNs) return duration(medianNs);
  return `${duration(medianNs)} (${duration(lowNs)} to ${duration(highNs)})`;
}
