import { WireError } from './frames.ts';

/**
 * What makes a page of an earlier version of it. In words of 4 bytes, little-endian: how many stay (low 16 bits) and how many
 * change (high 16 bits), then those that change; and so on, until the rest stays. More than 16 bits can say is said in several turns.
 */
const MOST_WORDS = 0xffff;
const WORD_BYTES = 4;

/**
 * @param into where it is written, from its beginning
 * @returns its length in words, 0 if nothing has changed; null: there is no room for it
 */
export function encodeDelta(before: Uint32Array, after: Uint32Array, into: Uint32Array): number | null {
  let length = 0;
  for (let at = 0; at < after.length; ) {
    const stays = at;
    while (at < after.length && before[at] === after[at] && at - stays < MOST_WORDS) at++;
    const changes = at;
    while (at < after.length && before[at] !== after[at] && at - changes < MOST_WORDS) at++;
    if (changes === after.length) break;
    if (length + 1 + (at - changes) > into.length) return null;
    into[length++] = (changes - stays) | ((at - changes) << 16);
    for (let word = changes; word < at; word++) into[length++] = after[word]!;
  }
  return length;
}

/** @throws WireError it goes beyond the page, or breaks off; the page may have been changed in part */
export function applyDelta(page: DataView, delta: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = delta;
  const words = new DataView(buffer, byteOffset, byteLength);
  for (let next = 0, at = 0; next < byteLength; ) {
    const turn = byteLength - next < WORD_BYTES ? 0 : words.getUint32(next, true);
    next += WORD_BYTES;
    at += WORD_BYTES * (turn & MOST_WORDS);
    const end = at + WORD_BYTES * (turn >>> 16);
    if (turn === 0 || end > page.byteLength || next + (end - at) > byteLength) {
      throw new WireError(`a 'delta' frame that does not fit its page of ${page.byteLength} bytes`);
    }
    for (; at < end; at += WORD_BYTES, next += WORD_BYTES)
      page.setUint32(at, words.getUint32(next, true), true);
  }
}
