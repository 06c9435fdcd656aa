import { sizedCanvas } from './canvas.js';
import { colour } from './dom.js';

/** Okabe & Ito's colours, told apart by everybody. */
const COLOURS = { guest: '#0072b2', sender: '#e69f00' };
const HOGS = ['#009e73', '#cc79a7', '#56b4e9', '#d55e00'];
const ROW = 26;
const BAR = 16;
const LABEL = 66;
const AXIS = 22;

/** Who had a processor in the last seconds: a row each, the present at the right. */
export function drawGantt(canvas, { slices, now, spanNs = 3e9 }) {
  const names = [...new Set(slices.map(({ name }) => name))].sort(byRank);
  const { context, width } = sizedCanvas(canvas, Math.max(1, names.length) * ROW + AXIS);
  context.textBaseline = 'middle';
  const x = (ns) => LABEL + ((ns - now + spanNs) / spanNs) * (width - LABEL);
  for (const [row, name] of names.entries()) {
    const top = row * ROW + (ROW - BAR) / 2;
    context.fillStyle = colour('ink');
    context.fillText(name, 0, top + BAR / 2);
    context.fillStyle = colour('lane');
    context.fillRect(LABEL, top, width - LABEL, BAR);
    context.fillStyle = COLOURS[name] ?? HOGS[hogNumber(name) % HOGS.length];
    bars(
      context,
      slices.filter((slice) => slice.name === name),
      x,
      top,
    );
  }
  context.fillStyle = colour('quiet');
  const bottom = names.length * ROW + AXIS / 2;
  for (let second = Math.round(spanNs / 1e9); second >= 0; second--) {
    const label = second === 0 ? 'now' : `−${second} s`;
    const at = x(now - second * 1e9);
    context.textAlign = second === 0 ? 'right' : at < LABEL + 8 ? 'left' : 'center';
    context.fillText(label, at, bottom);
  }
  context.textAlign = 'left';
}

/** A column of pixels is as dark as the share of its time that was used. */
function bars(context, slices, x, top) {
  const used = new Map();
  for (const { startNs, endNs } of slices) {
    const [from, to] = [Math.max(LABEL, x(startNs)), x(endNs)];
    for (let column = Math.floor(from); column < to; column++) {
      const share = Math.min(to, column + 1) - Math.max(from, column);
      used.set(column, (used.get(column) ?? 0) + share);
    }
  }
  for (const [column, share] of used) {
    context.globalAlpha = Math.min(1, 0.15 + 0.85 * share);
    context.fillRect(column, top, 1, BAR);
  }
  context.globalAlpha = 1;
}

function hogNumber(name) {
  return Number(name.split('-')[1] ?? 1) - 1;
}

function byRank(one, other) {
  const rank = (name) => ({ guest: 0, sender: 1 })[name] ?? 2;
  return rank(one) - rank(other) || one.localeCompare(other);
}
