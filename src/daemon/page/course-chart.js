import { sizedCanvas } from './canvas.js';
import { colour } from './dom.js';
import { duration, size } from './format.js';

const HEIGHT = 220;
const [LEFT, BOTTOM, TOP, RIGHT] = [82, 42, 10, 12];

/** What was left of a migration over its time, and when it is foreseen to end: the median, and the interval of 90 %. */
export function drawCourse(canvas, { course, progress, last }) {
  const { context, width } = sizedCanvas(canvas, HEIGHT);
  const foreseen = progress?.foreseen?.totalNs;
  const endNs = progress ? undefined : last?.totalNs;
  const nowNs = progress?.atNs ?? course.at(-1).atNs;
  // What is foreseen may be far away: then it is where the chart ends.
  const spanNs = Math.max(nowNs, endNs ?? 0, Math.min(foreseen?.p95 ?? 0, 3 * nowNs)) || 1;
  const most = Math.max(1, ...course.map(({ leftBytes }) => leftBytes));
  const x = (ns) => LEFT + (Math.min(ns, spanNs) / spanNs) * (width - LEFT - RIGHT);
  const y = (bytes) => HEIGHT - BOTTOM - (bytes / most) * (HEIGHT - BOTTOM - TOP);
  if (foreseen) {
    context.fillStyle = colour('lane');
    context.fillRect(x(foreseen.p5), TOP, x(foreseen.p95) - x(foreseen.p5), HEIGHT - BOTTOM - TOP);
    context.fillStyle = colour('warn');
    context.fillRect(x(foreseen.p50), TOP, 2, HEIGHT - BOTTOM - TOP);
  }
  drawAxes(context, { width, spanNs, most, x, y });
  context.strokeStyle = colour('accent');
  context.lineWidth = 2;
  context.beginPath();
  for (const { atNs, leftBytes } of course) context.lineTo(x(atNs), y(leftBytes));
  if (endNs) context.lineTo(x(endNs), y(0));
  context.stroke();
  context.fillStyle = colour('quiet');
  context.textAlign = 'center';
  const said = foreseen ? 'time; shaded: when it is foreseen to end, with its median' : 'time since it began';
  context.fillText(width < 480 ? 'time' : said, LEFT + (width - LEFT - RIGHT) / 2, HEIGHT - 10);
}

function drawAxes(context, { width, spanNs, most, x, y }) {
  context.textBaseline = 'middle';
  for (const part of [0, 0.5, 1]) {
    const level = y(part * most);
    context.fillStyle = colour('line');
    context.fillRect(LEFT, level, width - LEFT - RIGHT, 1);
    context.fillStyle = colour('quiet');
    context.textAlign = 'right';
    context.fillText(size(part * most), LEFT - 8, level);
    context.textAlign = part === 0 ? 'left' : part === 1 ? 'right' : 'center';
    context.fillText(part === 0 ? '0' : duration(part * spanNs), x(part * spanNs), HEIGHT - BOTTOM + 12);
  }
}
