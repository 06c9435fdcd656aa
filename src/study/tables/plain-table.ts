import Table from 'cli-table3';

/**
 * A table as a terminal shows it.
 * @param words so many columns, from the left, are words; the others are numbers
 */
export function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: number = head.length,
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column < words ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
