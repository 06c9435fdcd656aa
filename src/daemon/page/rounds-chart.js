import { sizedCanvas } from './canvas.js';
import { colour } from './dom.js';
import { count, duration } from './format.js';

const HEIGHT = 220;
const [LEFT, BOTTOM, TOP, RIGHT] = [66, 42, 10, 12];

/** Each round as a bar: as wide as it took, as high as there were dirty pages when it began. The guest is paused in the last. */
export function drawRounds(canvas, { rounds, stop }) {
  const { context, width } = sizedCanvas(canvas, HEIGHT);
  const bars = [
    ...rounds.map((round) => ({ ...round, name: String(round.round), kind: 'accent' })),
    { name: 'stop', dirtyPages: stop.pages, durationNs: stop.durationNs, kind: 'stop' },
  ];
  const spanNs = bars.reduce((sum, { durationNs }) => sum + durationNs, 0) || 1;
  const most = Math.max(1, ...bars.map(({ dirtyPages }) => dirtyPages));
  const x = (ns) => LEFT + (ns / spanNs) * (width - LEFT - RIGHT);
  const y = (pages) => HEIGHT - BOTTOM - (pages / most) * (HEIGHT - BOTTOM - TOP);
  context.textBaseline = 'middle';
  for (const part of [0, 0.5, 1]) {
    const level = y(part * most);
    context.fillStyle = colour('line');
    context.fillRect(LEFT, level, width - LEFT - RIGHT, 1);
    context.fillStyle = colour('quiet');
    context.textAlign = 'right';
    context.fillText(count(Math.round(part * most)), LEFT - 8, level);
    context.textAlign = part === 0 ? 'left' : part === 1 ? 'right' : 'center';
    context.fillText(part === 0 ? '0' : duration(part * spanNs), x(part * spanNs), HEIGHT - BOTTOM + 12);
  }
  let at = 0;
  for (const { name, dirtyPages, durationNs, kind } of bars) {
    const [from, to] = [x(at), x(at + durationNs)];
    context.fillStyle = colour(kind);
    context.fillRect(from, y(dirtyPages), Math.max(2, to - from - 1), HEIGHT - BOTTOM - y(dirtyPages));
    context.fillStyle = colour('on-accent');
    context.textAlign = 'center';
    if (to - from > 30 && y(dirtyPages) < HEIGHT - BOTTOM - 18)
      context.fillText(name, (from + to) / 2, HEIGHT - BOTTOM - 10);
    at += durationNs;
  }
  context.fillStyle = colour('quiet');
  context.textAlign = 'center';
  context.fillText(
    width < 480 ? 'time' : 'time since the first round; in the last bar the guest is paused',
    LEFT + (width - LEFT - RIGHT) / 2,
    HEIGHT - 10,
  );
  context.save();
  context.translate(10, TOP + (HEIGHT - BOTTOM - TOP) / 2);
  context.rotate(-Math.PI / 2);
  context.fillText('dirty pages', 0, 0);
  context.restore();
}
