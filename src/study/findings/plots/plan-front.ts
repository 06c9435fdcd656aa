import * as Plot from '@observablehq/plot';
import { formatDuration, formatRate, NANOS_PER_SECOND } from '../../../core/units.ts';
import type { FeasiblePlan } from '../../plan/answer.ts';
import { amountText, type Choice } from '../../plan/choice.ts';
import { accent, apart, contrast, draw, type Figure, WIDTH } from './draw.ts';
import { pixels, roomAround } from './scale.ts';

const HEIGHT = 380;
const [LEFT, RIGHT, TOP, BOTTOM] = [60, WIDTH - 24, 20, HEIGHT - 40];
const MBIT = 1e6 / 8;

/**
 * What may be reserved instead of what was chosen: b against b_d, or where the target says nothing of the downtime, against
 * the total. By the model none of the points needs less of everything; what virtual time has chosen lies beside them.
 * @returns undefined: there is nothing to choose from
 */
export function planFront({ front, choice, totalNs, choiceCost }: FeasiblePlan): Figure | undefined {
  if (front.length < 2) return undefined;
  const ofStop = choice.stopRate !== null;
  const point = (one: Choice, totalNs: number, cost: number) => ({
    rate: one.rate / MBIT,
    other: ofStop ? (one.stopRate ?? one.rate) / MBIT : totalNs / NANOS_PER_SECOND,
    total: formatDuration(totalNs),
    title: titleOf(one, totalNs, cost),
  });
  const points = front.map((each) => point(each.choice, each.totalNs, each.cost));
  const chosen = point(choice, totalNs, choiceCost);
  const [x, y] = [
    roomAround([...points, chosen].map(({ rate }) => rate)),
    roomAround([...points, chosen].map(({ other }) => other)),
  ];
  const at = { x: 'rate', y: 'other' };
  const [xPx, yPx] = [
    pixels({ type: 'linear', domain: x }, [LEFT, RIGHT]),
    pixels({ type: 'linear', domain: y }, [BOTTOM, TOP]),
  ];
  const placed = [chosen, ...points].map((one) => ({ one, x: xPx(one.rate), y: yPx(one.other) }));
  const isLeft = placed[0]!.x < (LEFT + RIGHT) / 2;
  const named = apart(placed, 40).map(({ one }) => one);
  // Where the sender's budget is chosen too, points that lie apart in it cannot be joined.
  const line =
    choice.sender === null ? [Plot.line(points, { ...at, stroke: accent, strokeOpacity: 0.5 })] : [];
  const others = ofStop ? 'the stop’s rate b_d' : 'the total time';
  return {
    name: 'plan-front',
    title: 'What may be reserved instead',
    caption: `Dots: by the model none needs less of everything; each has its total time. Diamond: chosen in virtual time. The axes are the live rate b and ${others}.`,
    svg: draw({
      ariaLabel: 'What may be reserved instead',
      height: HEIGHT,
      grid: true,
      x: { label: 'b, Mbit/s →', domain: [...x] },
      y: { label: ofStop ? '↑ b_d, Mbit/s' : '↑ total, s', domain: [...y] },
      marks: [
        ...line,
        Plot.dot(points, { ...at, r: 4, fill: accent, title: 'title' }),
        Plot.dot([chosen], { ...at, r: 7, fill: contrast, symbol: 'diamond', title: 'title' }),
        Plot.text(
          named.filter((one) => one !== chosen),
          { ...at, text: 'total', dx: 8, dy: -10, textAnchor: 'start', fill: 'currentColor' },
        ),
        Plot.text([chosen], {
          ...at,
          text: () => `chosen, ${chosen.total}`,
          dx: isLeft ? 10 : -10,
          dy: -12,
          textAnchor: isLeft ? 'start' : 'end',
          fill: 'currentColor',
          fontWeight: 'bold',
        }),
      ],
    }),
  };
}

function titleOf(choice: Choice, totalNs: number, cost: number): string {
  const { rate, stopRate, sender } = choice;
  return [
    `b ${formatRate(rate)}`,
    ...(stopRate === null ? [] : [`b_d ${formatRate(stopRate)}`]),
    ...(sender === null ? [] : [`sender ${amountText(choice, 'sender.reservation')}`]),
    `total ${formatDuration(totalNs)}`,
    `cost ${cost.toPrecision(3)}`,
  ].join('\n');
}
