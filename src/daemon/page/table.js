import { h } from './dom.js';

/**
 * Things, one a row; whoever hovers over a row is told why the thing is as it is.
 * @param columns what each is called, what of a thing is in it, and the classes of its cells
 * @param things each perhaps with `why`
 * @param none what is said if there is none
 */
export function table(name, columns, things, none) {
  if (things.length === 0) return h('p.empty', none);
  const heading = (title) => (title === '' ? h('span.unseen', 'actions') : title);
  const head = columns.map(([title, _, classes = '']) =>
    h('th', { class: classes, scope: 'col' }, heading(title)),
  );
  const row = (thing) => {
    const cells = columns.map(([_, cell, classes = '']) => h('td', { class: classes }, cell(thing)));
    return h('tr', { title: thing.why ?? undefined }, cells);
  };
  const whole = h('table', h('thead', h('tr', head)), h('tbody', things.map(row)));
  // What scrolls must be reached by keyboard.
  return h('div.scroll', { tabindex: 0, role: 'group', 'aria-label': name }, whole);
}
