import { sizedCanvas } from './canvas.js';
import { colour } from './dom.js';
import { duration } from './format.js';

const HEIGHT = 220;
const [BOTTOM, TOP, RIGHT] = [42, 10, 12];
/** On a narrower canvas the name of the axis of time is short. */
const NARROW = 480;

/**
 * A canvas on which something is drawn over time.
 * @param left the room for what the vertical axis says
 * @param spanNs the time from its left to its right end
 * @param most the amount at its top
 * @param amount an amount of the vertical axis, in words
 * @param time what the axis of time is called where there is room
 */
export function plotOf(canvas, { left, spanNs, most, amount, time }) {
  const { context, width } = sizedCanvas(canvas, HEIGHT);
  const area = { left, top: TOP, width: width - left - RIGHT, height: HEIGHT - BOTTOM - TOP };
  const x = (ns) => left + (ns / spanNs) * area.width;
  const y = (of) => HEIGHT - BOTTOM - (of / most) * area.height;
  const drawAxes = () => {
    context.textBaseline = 'middle';
    for (const part of [0, 0.5, 1]) {
      const level = y(part * most);
      context.fillStyle = colour('line');
      context.fillRect(left, level, area.width, 1);
      context.fillStyle = colour('quiet');
      context.textAlign = 'right';
      context.fillText(amount(part * most), left - 8, level);
      context.textAlign = part === 0 ? 'left' : part === 1 ? 'right' : 'center';
      context.fillText(part === 0 ? '0' : duration(part * spanNs), x(part * spanNs), HEIGHT - BOTTOM + 12);
    }
    context.textAlign = 'center';
    context.fillText(width < NARROW ? 'time' : time, left + area.width / 2, HEIGHT - 10);
  };
  return { context, area, x, y, drawAxes };
}
