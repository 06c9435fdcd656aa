import { coldestFirst } from './coldest-first.ts';

/** Least often written first (heat: frequency, with ageing). */
export const frequency = coldestFirst;
