/** No entity. */
export const NONE = -1;

/**
 * Entities, each with a key (an instant, or a number in a row), the least key first and of equal keys the lower
 * entity: a binary heap that knows the place of every entity, so that any can be moved or removed in O(log n).
 * Moves numbers only, and makes no objects.
 */
export class EarliestFirst {
  readonly #heap: number[] = [];
  /** By entity: its key, and its place in the heap or `NONE`. */
  readonly #keys: number[] = [];
  readonly #places: number[] = [];

  /** The entity of the least key, or `NONE`. */
  get first(): number {
    return this.#heap.length === 0 ? NONE : this.#heap[0]!;
  }

  /** The least key, or Infinity. */
  get firstKey(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#keys[this.#heap[0]!]!;
  }

  /** The least key but that of the first, or Infinity: in a heap it is just below the root. */
  get secondKey(): number {
    const heap = this.#heap;
    if (heap.length < 2) return Number.POSITIVE_INFINITY;
    const left = this.#keys[heap[1]!]!;
    return heap.length === 2 ? left : Math.min(left, this.#keys[heap[2]!]!);
  }

  /**
   * Fills `into` with as many of the first as there is room for, in their order, and then with `NONE`.
   * @returns the least key of the others, or Infinity
   */
  firsts(into: number[]): number {
    if (into.length === 1) {
      into[0] = this.first;
      return this.secondKey;
    }
    for (let place = 0; place < into.length; place++) {
      into[place] = this.first;
      this.remove(this.first);
    }
    const next = this.firstKey;
    for (const entity of into) if (entity !== NONE) this.put(entity, this.#keys[entity]!);
    return next;
  }

  /** Adds the entity, or gives it another key. */
  put(entity: number, key: number): void {
    while (this.#places.length <= entity) {
      this.#places.push(NONE);
      this.#keys.push(0);
    }
    const place = this.#places[entity]!;
    if (place === NONE) this.#heap.push(entity);
    else if (this.#keys[entity] === key) return;
    this.#keys[entity] = key;
    this.#settle(entity, place === NONE ? this.#heap.length - 1 : place);
  }

  /** Takes the entity out, if it is in. */
  remove(entity: number): void {
    const place = this.#places[entity] ?? NONE;
    if (place === NONE) return;
    this.#places[entity] = NONE;
    const last = this.#heap.pop()!;
    if (last !== entity) this.#settle(last, place);
  }

  /** Fills the hole at `place` with the entity, up or down from there to where it belongs. */
  #settle(entity: number, place: number): void {
    const heap = this.#heap;
    let hole = place;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#isBefore(entity, heap[parent]!)) break;
      this.#move(heap[parent]!, hole);
      hole = parent;
    }
    for (let child = 2 * hole + 1; child < heap.length; child = 2 * hole + 1) {
      if (child + 1 < heap.length && this.#isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!this.#isBefore(heap[child]!, entity)) break;
      this.#move(heap[child]!, hole);
      hole = child;
    }
    this.#move(entity, hole);
  }

  #move(entity: number, place: number): void {
    this.#heap[place] = entity;
    this.#places[entity] = place;
  }

  #isBefore(one: number, other: number): boolean {
    const difference = this.#keys[one]! - this.#keys[other]!;
    return difference < 0 || (difference === 0 && one < other);
  }
}
