import { colour } from './dom.js';
import { size } from './format.js';
import { plotOf } from './plot.js';

/** What was left of a migration over its time, and when it is predicted to end: the median, and the interval of 90 %. */
export function drawCourse(canvas, { course, progress, last }) {
  const predicted = progress?.predicted?.totalNs;
  const endNs = progress ? undefined : last?.totalNs;
  const nowNs = progress?.atNs ?? course.at(-1).atNs;
  // What is predicted may be far away: then it is where the chart ends.
  const spanNs = Math.max(nowNs, endNs ?? 0, Math.min(predicted?.p95 ?? 0, 3 * nowNs)) || 1;
  const { context, area, x, y, drawAxes } = plotOf(canvas, {
    ...{ left: 82, spanNs, amount: size },
    most: Math.max(1, ...course.map(({ leftBytes }) => leftBytes)),
    time: predicted ? 'time; shaded: when it is predicted to end, with its median' : 'time since it began',
  });
  if (predicted) {
    const [from, median, until] = [predicted.p5, predicted.p50, predicted.p95].map((ns) =>
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
