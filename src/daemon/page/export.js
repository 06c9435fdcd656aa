import { h } from './dom.js';

/** What is seen here, as files. */

export function saveText(name, text, type = 'text/plain') {
  save(name, new Blob([text], { type }));
}

/** A picture as it is drawn, on the ground of the page. */
export function savePicture(name, canvas, ground) {
  const whole = document.createElement('canvas');
  whole.width = canvas.width;
  whole.height = canvas.height;
  const context = whole.getContext('2d');
  context.fillStyle = ground;
  context.fillRect(0, 0, whole.width, whole.height);
  context.drawImage(canvas, 0, 0);
  whole.toBlob((blob) => save(name, blob));
}

/** Rows of values as RFC 4180 has them. */
export function csvOf(columns, rows) {
  const cell = (value) => {
    const text = String(value ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function save(name, blob) {
  const href = URL.createObjectURL(blob);
  h('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
