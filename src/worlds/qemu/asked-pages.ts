import {
  MOST_REQUESTED_PAGES,
  putRequestForMore,
  REQUEST_BYTES,
  requestPages,
} from '../../qemu/return-path.ts';
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

/** What asks for pages, and how many requests that are. */
export interface PageRequests {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Requests for these pages, in their order: neighbours that follow each other in one. Pages are numbered over all blocks. */
export function requestsFor(order: Uint32Array, blocks: readonly RamBlock[]): PageRequests {
  const longestName = Math.max(...blocks.map(({ name }) => name.length));
  const bytes = Buffer.allocUnsafe(order.length * (REQUEST_BYTES + longestName));
  let [end, requests] = [0, 0];
  let block: RamBlock | undefined;
  for (let start = 0; start < order.length; ) {
    const first = order[start]!;
    const isSame = block !== undefined && first >= block.firstPage && first < block.firstPage + block.pages;
    if (!isSame) block = blocks.findLast(({ firstPage }) => firstPage <= first)!;
    const { firstPage, pages, name } = block!;
    const next = endOfRow(order, start, Math.min(firstPage + pages, first + MOST_REQUESTED_PAGES));
    const count = next - start;
    if (isSame) end = putRequestForMore(bytes, end, first - firstPage, count);
    else end += requestPages(name, first - firstPage, count).copy(bytes, end);
    requests += 1;
    start = next;
  }
  return { bytes: bytes.subarray(0, end), count: requests };
}

/** Where the row of neighbours ends that begins there: of pages below that limit. */
function endOfRow(order: Uint32Array, start: number, limit: number): number {
  let end = start + 1;
  while (end < order.length && order[end] === order[end - 1]! + 1 && order[end]! < limit) end++;
  return end;
}
