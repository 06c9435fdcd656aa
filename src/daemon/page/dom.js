/** An element: its attributes, properties and listeners, and what is in it. Text is always text, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.assign(element.style, value);
    else if (value === true) element.setAttribute(name, '');
    else element.setAttribute(name, value);
  }
  element.append(
    ...children.flat().filter((child) => child !== undefined && child !== null && child !== false),
  );
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** A word that says how something is, in the colour of how good that is. */
export function chip(state) {
  return h('span', { class: `chip ${moods[state] ?? ''}` }, state);
}

const moods = {
  running: 'busy',
  leaving: 'busy',
  arriving: 'busy',
  waiting: 'wait',
  paused: 'wait',
  unsettled: 'bad',
  died: 'bad',
  failed: 'bad',
  completed: 'good',
  'not-converged': 'wait',
  cancelled: '',
};

/** The colour of a name in the style sheet, as it is now. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

let hiding;
export function toast(text) {
  const element = byId('toast');
  element.textContent = text;
  element.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    element.hidden = true;
  }, 5000);
}
