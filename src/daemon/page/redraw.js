import { byId } from './dom.js';

/**
 * Events come in bursts, and a screen shows sixty pictures a second: each section is drawn once for each.
 * @param sections by the id of its element, what draws it
 * @param stateNow what is drawn; undefined: nothing yet
 * @param isLost whether the daemon is lost, so that nothing can be asked of it
 */
export function redrawer(sections, stateNow, isLost) {
  const stale = new Set();
  /** What is pressed must still be there when it is let go, or it was no click. */
  let pressed = false;

  const draw = () => {
    const state = stateNow();
    if (pressed || !state) return;
    for (const name of stale) {
      keepingFocus(byId(name), (section) => sections[name](section, state));
      for (const button of byId(name).querySelectorAll('button')) button.disabled = isLost();
    }
    stale.clear();
  };
  const redraw = (...names) => {
    if (stale.size === 0) requestAnimationFrame(draw);
    for (const name of names) stale.add(name);
  };
  const released = () => {
    pressed = false;
    draw();
  };
  addEventListener('pointerdown', () => {
    pressed = true;
    setTimeout(released, 1000);
  });
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => setTimeout(released));
  return { redraw, redrawAll: () => redraw(...Object.keys(sections)) };
}

/**
 * Whoever goes from button to button by keyboard stays on the same one: by its key, since something else may have come to
 * its place, and a key that is pressed must not cancel that. What scrolls and what is open stay so.
 */
function keepingFocus(section, draw) {
  const { key } = section.contains(document.activeElement) ? document.activeElement.dataset : {};
  const scrolled = [...section.querySelectorAll('.scroll, pre')].map(({ scrollTop }) => scrollTop);
  const isOpen = section.querySelector('details')?.open;
  draw(section);
  for (const [index, element] of section.querySelectorAll('.scroll, pre').entries())
    element.scrollTop = scrolled[index] ?? 0;
  const details = section.querySelector('details');
  if (details && isOpen) details.open = true;
  if (key) section.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
