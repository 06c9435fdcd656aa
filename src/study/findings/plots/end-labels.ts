import * as Plot from '@observablehq/plot';

/** What names a line, at its last point. */
export interface EndLabel {
  /** Of the point, in the plot's own values. */
  readonly at: { readonly x: number | string; readonly y: number };
  /** Of the point, in pixels. */
  readonly yPx: number;
  /** Its lines. */
  readonly lines: readonly string[];
  readonly colour: string;
}

export const LINE_PX = 14;
/** The longest line of a name. */
const LONGEST = 32;

/**
 * Names lines in the right margin, at the height of their ends and with a key in their colour, moved apart where they would
 * lie on each other. A dotted line leads there from a line that ends earlier.
 * @param right the plot's last value
 */
export function endLabels(
  labels: readonly EndLabel[],
  right: number | string,
  bottomPx: number,
): Plot.Markish[] {
  return movedApart(labels, bottomPx).flatMap(({ label, centrePx }) => {
    const { at, yPx, lines, colour } = label;
    const place = { x: () => right, y: 'y', dy: centrePx - yPx, textAnchor: 'start' } as const;
    const leader = { stroke: colour, strokeDasharray: '1 4', strokeWidth: 1.5 };
    return [
      ...(at.x === right ? [] : [Plot.link([at], { x1: 'x', x2: () => right, y1: 'y', y2: 'y', ...leader })]),
      Plot.text([at], { ...place, dx: 8, text: () => '■', fill: colour }),
      Plot.text([at], {
        ...place,
        dx: 22,
        text: () => lines.join('\n'),
        lineHeight: LINE_PX / 12,
        fill: 'currentColor',
      }),
    ];
  });
}

/** A name is shown whole, on as many lines as it needs. */
export function linesOf(name: string): readonly string[] {
  const lines: string[] = [];
  for (const word of name.split(/(?<= )/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.trimEnd().length <= LONGEST) lines[lines.length - 1] += word;
    else lines.push(word);
  }
  return lines.map((line) => line.trimEnd());
}

/** From the top down, then from the bottom up where they have run out of the plot. */
function movedApart(labels: readonly EndLabel[], bottomPx: number) {
  const placed = labels
    .map((label) => ({ label, centrePx: label.yPx, halfPx: (label.lines.length * LINE_PX) / 2 }))
    .sort((one, other) => one.centrePx - other.centrePx);
  let topPx = 0;
  for (const one of placed) {
    one.centrePx = Math.max(one.centrePx, topPx + one.halfPx);
    topPx = one.centrePx + one.halfPx;
  }
  let endPx = bottomPx;
  for (const one of placed.toReversed()) {
    one.centrePx = Math.min(one.centrePx, endPx - one.halfPx);
    endPx = one.centrePx - one.halfPx;
  }
  return placed;
}
