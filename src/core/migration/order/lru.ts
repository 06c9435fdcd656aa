import { coldestFirst } from './coldest-first.ts';

/** Least recently written first (heat: recency): the order of Checconi, Cucinotta and Stein. */
export const lru = coldestFirst;
