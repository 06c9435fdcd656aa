/** Three significant digits: 281 ms, 4.26 s, 17 µs. */
export function duration(ns) {
  if (ns === null || ns === undefined) return '–';
  if (Math.abs(ns) < 1e3) return `${Math.round(ns)} ns`;
  return scaled(ns / 1e3, 1000, ['µs', 'ms', 's']);
}

export function size(bytes) {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB']);
}

/** In decimal bits, as links are sold. */
export function rate(bytesPerSecond) {
  if (bytesPerSecond === null) return 'unlimited';
  return scaled(bytesPerSecond * 8, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
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

function scaled(value, base, units) {
  let index = 0;
  let rest = value;
  while (Math.abs(significant(rest)) >= base && index < units.length - 1) {
    rest /= base;
    index += 1;
  }
  return `${significant(rest)} ${units[index]}`;
}

function significant(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
