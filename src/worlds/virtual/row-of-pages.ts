/**
 * The pages from a place on that cost the same on the link: those of zeros, the last of the guest, are their header only.
 * @param firstZeroPage the guest's number of pages, if none holds zeros
 */
export function rowFrom(pages: Uint32Array, start: number, firstZeroPage: number): Uint32Array {
  const zero = pages[start]! >= firstZeroPage;
  let end = start + 1;
  while (end < pages.length && pages[end]! >= firstZeroPage === zero) end++;
  return pages.subarray(start, end);
}
