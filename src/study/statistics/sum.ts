/** Σ of one figure over all items. */
export function sumOf<Key extends string>(
  items: readonly { readonly [K in Key]: number }[],
  figure: Key,
): number {
  return items.reduce((sum, item) => sum + item[figure], 0);
}
