import { coldestFirst } from './coldest-first.ts';

/** Increasing write probability (heat: known, or estimated by frequency): optimal when every π ≤ 1/n. */
export const increasing = coldestFirst;
