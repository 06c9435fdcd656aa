/** A line is shown up to here. */
const SHOWN_CHARACTERS = 160;

/** `file:line:column` and the line, with a mark below the column. */
export function placeAt(file: string, text: string, { line, col }: { line: number; col: number }): string {
  const whole = text.split('\n')[line - 1] ?? '';
  const place = `${file}:${line}:${col}`;
  if (col > SHOWN_CHARACTERS) return place;
  const shown = whole.slice(0, SHOWN_CHARACTERS).replaceAll('\t', ' ').trimEnd();
  return `${place}\n    ${shown}\n    ${' '.repeat(col - 1)}^`;
}
