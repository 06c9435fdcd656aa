import { colour } from './dom.js';
import { size } from './format.js';
import { plotOf } from './plot.js';

/** What was left of a migration over its time, and when it is foreseen to end: the median, and the interval of 90 %. */
export function drawCourse(canvas, { course, progress, last }) {
  const foreseen = progress?.foreseen?.totalNs;
  const endNs = progress ? undefined : last?.totalNs;
  const nowNs = progress?.atNs ?? course.at(-1).atNs;
  // What is foreseen may be far away: then it is where the chart ends.
  const spanNs = Math.max(nowNs, endNs ?? 0, Math.min(foreseen?.p95 ?? 0, 3 * nowNs)) || 1;
  const { context, area, x, y, drawAxes } = plotOf(canvas, {
    ...{ left: 82, spanNs, amount: size },
    most: Math.max(1, ...course.map(({ leftBytes }) => leftBytes)),
    time: foreseen ? 'time; shaded: when it is foreseen to end, with its median' : 'time since it began',
  });
  if (foreseen) {
    const [from, median, until] = [foreseen.p5, foreseen.p50, foreseen.p95].map((ns) =>
      x(Math.min(ns, spanNs)),
    );
    context.fillStyle = colour('lane');
    context.fillRect(from, area.top, until - from, area.height);
    context.fillStyle = colour('warn');
    context.fillRect(median, area.top, 2, area.height);
  }
  drawAxes();
  context.strokeStyle = colour('accent');
  context.lineWidth = 2;
  context.beginPath();
  for (const { atNs, leftBytes } of course) context.lineTo(x(atNs), y(leftBytes));
  if (endNs) context.lineTo(x(endNs), y(0));
  context.stroke();
}
