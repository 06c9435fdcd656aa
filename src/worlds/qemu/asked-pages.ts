import { MOST_REQUESTED_PAGES, requestMorePages, requestPages } from '../../qemu/return-path.ts';
import type { RamBlock } from '../../qemu/stream-layout.ts';

/** Of a page that is not asked for. */
const NOT_ASKED = 0xffff_ffff;

/** The pages that have been asked for in a round, in their order, and which of them have come: four bytes a page, and a bit. */
export class AskedPages {
  readonly #places: Uint32Array;
  readonly #hasCome: Uint8Array;
  #askedPages = 0;
  /** The place behind that of the last page that has come. */
  #reached = 0;
  cameAsked = 0;
  /** Pages that came without having been asked for, or again. */
  unaskedPages = 0;
  /** How often a page came after one that had been asked for later. */
  outOfPlacePages = 0;

  constructor(pages: number) {
    this.#places = new Uint32Array(pages).fill(NOT_ASKED);
    this.#hasCome = new Uint8Array(pages);
  }

  /** A round begins: these pages are asked for, in this order, and no others. */
  ask(order: Uint32Array): void {
    this.#places.fill(NOT_ASKED);
    this.#hasCome.fill(0);
    for (let place = 0; place < order.length; place++) this.#places[order[place]!] = place;
    this.#askedPages = order.length;
    this.#reached = 0;
    this.cameAsked = 0;
  }

  came(page: number): void {
    const place = this.#places[page]!;
    if (place === NOT_ASKED || this.#hasCome[page] === 1) {
      this.unaskedPages += 1;
      return;
    }
    this.#hasCome[page] = 1;
    this.cameAsked += 1;
    if (place < this.#reached) this.outOfPlacePages += 1;
    this.#reached = place + 1;
  }

  /** Of those that were asked for, how many have had their turn: up to the last that has come. */
  get turns(): number {
    return this.#reached;
  }

  get askedPages(): number {
    return this.#askedPages;
  }
}

/** Requests for these pages, in their order: neighbours that follow each other in one. Pages are numbered over all blocks. */
export function requestsFor(order: Uint32Array, blocks: readonly RamBlock[]): readonly Buffer[] {
  const requests: Buffer[] = [];
  let lastBlock: RamBlock | undefined;
  for (let start = 0; start < order.length; ) {
    const first = order[start]!;
    const block = blocks.findLast(({ firstPage }) => firstPage <= first)!;
    const end = endOfRow(order, start, Math.min(block.firstPage + block.pages, first + MOST_REQUESTED_PAGES));
    const count = end - start;
    const page = first - block.firstPage;
    requests.push(
      block === lastBlock ? requestMorePages(page, count) : requestPages(block.name, page, count),
    );
    lastBlock = block;
    start = end;
  }
  return requests;
}

/** Where the row of neighbours ends that begins there: of pages below that limit. */
function endOfRow(order: Uint32Array, start: number, limit: number): number {
  let end = start + 1;
  while (end < order.length && order[end] === order[end - 1]! + 1 && order[end]! < limit) end++;
  return end;
}
