import { ask } from './api.js';

/** What the reference says of the keys of a scenario. */

let keys;
export function scenarioKeys() {
  return (keys ??= ask('GET', 'api/reference'));
}

/** The values that are set, each with the keys that lead to it. A list is one value. */
export function leavesOf(value, within = []) {
  const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isMap) return within.length === 0 ? [] : [[within, value]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...within, key]));
}

/** A value as it stands in YAML on one line. */
export function written(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a key means, what may stand there, and what does if nothing is said. */
export function helpOf(path, keys, value) {
  if (path[0] === 'compare' && path.length > 1) return 'Each of these values is run and compared.';
  const named = keys.filter((key) => key.path.replaceAll('[]', '') === path.join('.'));
  if (named.length === 0) return 'No such key.';
  // Of a kind that is chosen, what that one is.
  const chosen = named.filter((key) => key.value === value);
  const meant = chosen.length > 0 ? chosen : named.slice(0, 3);
  const meanings = [...new Set(meant.map(({ meaning }) => meaning))].join(' ');
  const values = [...new Set(named.map(({ value }) => value))].filter(Boolean).join(' | ');
  const { fallback, isNeeded } = named[0];
  return [
    meanings,
    values && `Value: ${values}.`,
    fallback ? `Default: ${fallback}.` : isNeeded && 'It is needed.',
  ]
    .filter(Boolean)
    .join(' ');
}

/** Keys that can still be set by one line: those with a value of their own that are not in a list. */
export function addable(document, keys) {
  const set = new Set(leavesOf(document).map(([path]) => path.join('.')));
  const seen = new Set();
  return keys.filter(({ path, value }) => {
    const isNew = value !== '' && !path.includes('[]') && !set.has(path) && !seen.has(path);
    seen.add(path);
    return isNew;
  });
}
