/**
 * Lines of text, each broken at spaces where it is longer than this. A broken line continues below where its text begins: after its
 * indent, or after a label that two or more spaces set apart from it. Lines of tables are left as they are.
 */
export function folded(text: string, width = Number.POSITIVE_INFINITY): string {
  return text
    .split('\n')
    .flatMap((line) => (line.length <= width || /^[┌├│└]/.test(line) ? [line] : brokenAtSpaces(line, width)))
    .join('\n');
}

function brokenAtSpaces(line: string, width: number): readonly string[] {
  const column = textColumn(line, width);
  const [first = '', ...words] = line.slice(column).split(/ +/);
  return filled(line.slice(0, column) + first, words, { width, indent: ' '.repeat(column) });
}

/** Where the text of a line begins: after its last label, if that leaves half of the width. */
function textColumn(line: string, width: number): number {
  const ends = [...line.matchAll(/ {2,}(?=\S)/g)].map(({ 0: gap, index }) => index + gap.length);
  const [indent] = /^ */.exec(line)!;
  return Math.max(indent.length, ...ends.filter((end) => end <= width / 2));
}

/** A shell's command, each line but the last of which ends with a backslash: it can be copied as it stands. */
export function foldedCommand(command: string, width = Number.POSITIVE_INFINITY): string {
  if (command.length <= width) return command;
  const [indent] = /^ */.exec(command)!;
  const [first = '', ...words] = command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
  return filled(indent + first, words, { width, indent: `${indent}  `, mark: ' \\' }).join('\n');
}

/** Lines of words, none wider than this unless a single word is. @param mark ends every line but the last */
function filled(
  first: string,
  words: readonly string[],
  { width, indent, mark = '' }: { readonly width: number; readonly indent: string; readonly mark?: string },
): string[] {
  const lines: string[] = [];
  let current = first;
  for (const word of words) {
    if (current.length + 1 + word.length + mark.length <= width) current += ` ${word}`;
    else {
      lines.push(current + mark);
      current = indent + word;
    }
  }
  return [...lines, current];
}
