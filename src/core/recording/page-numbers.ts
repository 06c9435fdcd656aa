import type { PageSet } from '../migration/pages.ts';

/** Neighbouring pages of an address space, of which some were seen. All blocks have the same number of pages. */
export interface SeenBlock {
  readonly firstPage: number;
  readonly seen: PageSet;
}

export type PageNumbers = ReturnType<typeof pageNumbers>;

/** Numbers the pages that were ever seen from 0, in ascending address order. */
export function pageNumbers(blocks: readonly SeenBlock[], blockPages: number) {
  /** The number of the i-th page of the b-th block, at b × (pages of a block) + i. */
  const numberAt: Uint32Array = new Uint32Array(blocks.length * blockPages);
  const ascending = blocks
    .map(({ firstPage, seen }, block) => ({ firstPage, seen, block }))
    .sort((one, other) => one.firstPage - other.firstPage);
  let pages = 0;
  for (const { seen, block } of ascending) {
    seen.each((index) => {
      numberAt[block * blockPages + index] = pages++;
    });
  }
  return { pages, numberAt };
}
