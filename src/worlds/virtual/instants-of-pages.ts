/** What a world that was closed had for the instants of its pages: the next one of as many begins with it, which spares garbage. */
let spare: Float64Array = new Float64Array(0);

/** An instant a page, all of them 0. */
export function instantsOfPages(pages: number): Float64Array {
  const kept = spare;
  spare = new Float64Array(0);
  return kept.length === pages ? kept.fill(0) : new Float64Array(pages);
}

/** Nobody uses these any more. */
export function spareInstants(instants: Float64Array): void {
  spare = instants;
}
