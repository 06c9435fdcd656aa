/** Settings as an axis names them, by the end of their path in a scenario or in a record; the first that fits. */
const quantities: readonly (readonly [RegExp, string])[] = [
  [/\bstopRate(BytesPerSecond)?$/, 'rate in the stop b_d'],
  [/^(link|plan)\.rate(BytesPerSecond)?$/, 'rate of the link b'],
  [/^link\.capacity(BytesPerSecond)?$/, 'capacity of the link'],
  [/^sender\.(reservation\.)?budget(Ns)?$/, "the sender's budget Q"],
  [/^sender\.(reservation\.)?period(Ns)?$/, "the sender's period P"],
  [/^guest\.(reservation\.)?budget(Ns)?$/, "the guest's budget Q"],
  [/^guest\.(reservation\.)?period(Ns)?$/, "the guest's period P"],
  [/\bcpuPerPage(Ns)?$/, 'CPU time of the sender for a page'],
  [/^guest\.pages$/, 'pages of the guest'],
  [/\bwritesPerSecond$/, 'writes of a page in a second'],
  [/\bdefer\.count$/, 'deferred pages'],
  [/\bdefer\.threshold$/, 'write probability from which pages are deferred'],
  [/\bstop\.rounds$/, 'live rounds'],
  [/\bstop\.limit(Ns)?$/, 'limit of the downtime'],
  [/^(background|antagonists)\.\d+\.count$/, 'competing programs'],
  [/^(background|antagonists)\.\d+\.rate(BytesPerSecond)?$/, 'rate of the competing traffic'],
];

/** `link.stopRate` is called `rate in the stop b_d`; of what is not listed, the last word of its path, in words. */
export function quantityOf(path: string): string {
  const known = quantities.find(([pattern]) => pattern.test(path));
  if (known) return known[1];
  const last = path
    .split('.')
    .at(-1)!
    .replace(/(Ns|BytesPerSecond|Bytes)$/, '');
  return last.replace(/(?<=[a-z])[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
}

/** An axis of a setting: its name with the unit that all values have in common, and the values without it. */
export function settingAxis(path: string, values: readonly string[]) {
  const units = new Set(values.map((value) => partsOf(value).unit));
  const [unit = ''] = units;
  const isCommon = units.size === 1 && unit !== '';
  return {
    label: isCommon ? `${quantityOf(path)}, ${unit}` : quantityOf(path),
    shown: (value: string) => (isCommon ? partsOf(value).number : value),
  };
}

/** `2.5ms` has the number `2.5` and the unit `ms`; what is no quantity has no unit. */
function partsOf(value: string): { readonly number: string; readonly unit: string } {
  const [, number = value, unit = ''] = /^(-?[\d.]+(?:e[+-]?\d+)?)\s*([a-zµ%/]*)$/i.exec(value) ?? [];
  return { number, unit };
}
