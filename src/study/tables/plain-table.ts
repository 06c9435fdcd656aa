import Table from 'cli-table3';

/**
 * A table as a terminal shows it.
 * @param words so many columns, from the left, are words; the others are numbers
 * @param width columns of the terminal: cells are broken over lines, the widest first, as far as their words allow; without it, as
 * wide as it comes
 */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: number = head.length,
  width = Number.POSITIVE_INFINITY,
): string {
  const isTooWide = naturalWidth(head, rows) > width;
  const narrow = isTooWide ? breakable(head) : head;
  const widths = isTooWide ? widthsWithin(narrow, rows, width) : undefined;
  const table = new Table({
    head: [...narrow],
    colAligns: head.map((_, column) => (column < words ? 'left' : 'right')),
    ...(widths && { colWidths: [...widths], wordWrap: true }),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** A cell has a space on either side. */
const PADDING = 2;

/** The least width that a table of these columns can have, borders included. */
export function leastWidth(head: readonly string[], rows: readonly (readonly string[])[]): number {
  const narrow = breakable(head);
  return bordered(head.map((_, column) => PADDING + longestOf(texts(narrow, rows, column).flatMap(wordsOf))));
}

/** A column that may be left out. */
export interface RankedColumn {
  readonly heading: string;
  /** 1: it matters most. */
  readonly rank: number;
}

/** Those of the columns that fit, the least important left out first. @param needed the least width of so many of them */
export function columnsWithin<Column extends RankedColumn>(
  all: readonly Column[],
  width: number | undefined,
  needed: (columns: readonly Column[]) => number,
): readonly Column[] {
  let columns = all;
  while (width !== undefined && columns.length > 1 && needed(columns) > width) {
    const least = Math.max(...columns.map(({ rank }) => rank));
    columns = columns.filter(({ rank }) => rank !== least);
  }
  return columns;
}

/** What is said below a table in which not all columns are shown. */
export function leftOutNote(all: readonly RankedColumn[], shown: readonly RankedColumn[]): readonly string[] {
  const leftOut = all.filter((column) => !shown.includes(column)).map(({ heading }) => heading);
  if (leftOut.length === 0) return [];
  return [`Left out for the width of the terminal: ${leftOut.join(', ')}; --wide shows them.`];
}

function naturalWidth(head: readonly string[], rows: readonly (readonly string[])[]): number {
  return bordered(head.map((_, column) => PADDING + longestOf(texts(head, rows, column))));
}

/** Headings that are paths may be broken after their points. */
function breakable(head: readonly string[]): readonly string[] {
  return head.map((heading) => heading.replace(/\.(?=\w)/g, '. '));
}

/** The widths of the columns that together are no wider than that, as far as their words allow. */
function widthsWithin(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  const widths = head.map((_, column) => PADDING + longestOf(texts(head, rows, column)));
  const least = head.map((_, column) => PADDING + longestOf(texts(head, rows, column).flatMap(wordsOf)));
  while (bordered(widths) > width) {
    let widest = -1;
    for (const [column, one] of widths.entries()) {
      if (one > least[column]! && (widest < 0 || one > widths[widest]!)) widest = column;
    }
    if (widest < 0) break;
    widths[widest]! -= 1;
  }
  return widths;
}

function bordered(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one + 1, 1);
}

function texts(head: readonly string[], rows: readonly (readonly string[])[], column: number): string[] {
  return [head, ...rows].map((row) => row[column]!);
}

function wordsOf(text: string): readonly string[] {
  return text.split(' ');
}

function longestOf(all: readonly string[]): number {
  return Math.max(0, ...all.map(({ length }) => length));
}
