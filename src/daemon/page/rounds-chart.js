import { colour } from './dom.js';
import { count } from './format.js';
import { plotOf } from './plot.js';

/** Each round as a bar: as wide as it took, as high as there were dirty pages when it began. The guest is paused in the last. */
export function drawRounds(canvas, { rounds, stop }) {
  const bars = [
    ...rounds.map((round) => ({ ...round, name: String(round.round), kind: 'accent' })),
    { name: 'stop', dirtyPages: stop.pages, durationNs: stop.durationNs, kind: 'stop' },
  ];
  const { context, area, x, y, drawAxes } = plotOf(canvas, {
    left: 66,
    spanNs: bars.reduce((sum, { durationNs }) => sum + durationNs, 0) || 1,
    most: Math.max(1, ...bars.map(({ dirtyPages }) => dirtyPages)),
    amount: (pages) => count(Math.round(pages)),
    time: 'time since the first round; in the last bar the guest is paused',
  });
  drawAxes();
  const bottom = y(0);
  let at = 0;
  for (const { name, dirtyPages, durationNs, kind } of bars) {
    const [from, to, level] = [x(at), x(at + durationNs), y(dirtyPages)];
    context.fillStyle = colour(kind);
    context.fillRect(from, level, Math.max(2, to - from - 1), bottom - level);
    context.fillStyle = colour('on-accent');
    context.textAlign = 'center';
    if (to - from > 30 && level < bottom - 18) context.fillText(name, (from + to) / 2, bottom - 10);
    at += durationNs;
  }
  context.save();
  context.fillStyle = colour('quiet');
  context.translate(10, area.top + area.height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText('dirty pages', 0, 0);
  context.restore();
}
