/**
 * An element: its tag and classes as `span.chip.good`, then perhaps its attributes and listeners, then what is in it.
 * Text is always text, never markup.
 */
export function h(selector, ...content) {
  const [tag, ...classes] = selector.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.classList.add(...classes);
  const attributes = content[0]?.constructor === Object ? content.shift() : {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...content.flat().filter((child) => (child ?? false) !== false));
  return element;
}

/** Draws a section anew: its heading, what is beside it, and what is below. */
export function fill(section, title, beside, ...below) {
  const heading = typeof title === 'string' ? h('h2', title) : title;
  section.replaceChildren(h('div.head', heading, beside), ...below.filter(Boolean));
}

export function byId(id) {
  return document.getElementById(id);
}

/** How full something is: parts of it in per cent, each perhaps with the class of its colour. */
export function bar(text, ...parts) {
  const filled = ([percent, kind]) =>
    h(kind ? `i.${kind}` : 'i', { style: { width: `${Math.max(0, Math.min(100, percent))}%` } });
  return h('span.bar', { title: text }, parts.map(filled));
}

/** A word that says how something is, in the colour of how good that is. */
export function chip(state, mood = moodOf(state)) {
  return h(`span.chip.${mood}`, state);
}

const moods = {
  busy: ['running', 'leaving', 'arriving', 'rehearsing', 'migrating'],
  wait: ['waiting', 'paused', 'not-converged', 'connecting'],
  bad: ['unsettled', 'died', 'failed', 'unreachable'],
  good: ['completed'],
};

function moodOf(state) {
  return Object.keys(moods).find((one) => moods[one].includes(state)) ?? 'plain';
}

/** The colour of a name in the style sheet, as it is now: light or dark. */
export function colour(name) {
  const probe = byId('colour');
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** A list of figures, each with its name. */
export function figures(named) {
  const figure = ([name, value]) => h('div', h('dt', name), h('dd', value));
  return h('dl.figures', named.filter(Boolean).map(figure));
}

let hiding;
export function toast(text) {
  const element = byId('toast');
  element.textContent = text;
  element.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    element.hidden = true;
  }, 8000);
}
