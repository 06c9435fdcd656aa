/** A text as one word for a shell (POSIX, 2.2.2): in single quotes unless nothing in it is special. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
