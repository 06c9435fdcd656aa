import { h } from './dom.js';

/**
 * Things, one a row; whoever hovers over a row is told why the thing is as it is.
 * @param columns what each is called, the classes of its cells, and what of a thing is in it
 * @param things each perhaps with `why`
 * @param none what is said if there is none
 */
export function table(columns, things, none) {
  if (things.length === 0) return h('p', { class: 'empty' }, none);
  const head = columns.map(({ title, classes }) => h('th', { class: classes }, title));
  const row = (thing) => {
    const cells = columns.map(({ classes, cell }) => h('td', { class: classes }, cell(thing)));
    return h('tr', { title: thing.why ?? '' }, ...cells);
  };
  return h(
    'div',
    { class: 'scroll' },
    h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...things.map(row))),
  );
}
