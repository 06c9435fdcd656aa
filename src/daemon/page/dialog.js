import { ask } from './api.js';
import { byId, h, toast } from './dom.js';

/** The fields of forms, and dialogs that ask for them. */

/** Something to fill in, under its name; `help` says what it means. */
export function field(label, name, element, help) {
  element.setAttribute('name', name);
  if (!help) return h('label', label, element);
  const id = `help-${name}`;
  element.setAttribute('aria-describedby', id);
  return h('div', h('label', label, element), h('p.help', { id }, help));
}

/** One that takes the whole width. */
export function wide(...given) {
  const element = field(...given);
  element.classList.add('whole');
  return element;
}

export function choice(options) {
  return h(
    'select',
    Object.entries(options).map(([value, shown]) => h('option', { value }, shown)),
  );
}

export function text(value, pattern) {
  return h('input', { value, pattern, required: true, autocomplete: 'off' });
}

export function number(value, min, max) {
  return h('input', { type: 'number', value, min, max });
}

/**
 * @param submit given what was filled in, by name, and a signal of when the dialog is closed; what it throws is shown, and
 *   the dialog stays open
 * @param more another button: what it is called, and what it does with what was filled in, told as `submit` is
 */
export function openForm(title, fields, verb, submit, more) {
  const dialog = byId('dialog');
  const error = h('p.error.whole', { role: 'alert' });
  const send = h('button.main', { type: 'submit' }, verb);
  const closed = new AbortController();
  dialog.addEventListener('close', () => closed.abort(), { once: true });
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Close');
  const told = async (act, done) => {
    error.textContent = '';
    send.disabled = true;
    try {
      await act(Object.fromEntries(new FormData(form)), closed.signal);
      done?.();
    } catch (cause) {
      error.textContent = cause.message;
    } finally {
      send.disabled = false;
    }
  };
  const onsubmit = (event) => {
    event.preventDefault();
    void told(submit, () => dialog.close());
  };
  const another =
    more &&
    h('button', { type: 'button', onclick: () => form.reportValidity() && told(more.act) }, more.verb);
  const end = h('div.dialog-end.whole', cancel, another, send);
  const form = h('form', { onsubmit }, h('h2.whole', { id: 'dialog-title' }, title), fields, error, end);
  dialog.replaceChildren(form);
  dialog.showModal();
}

/** Asks whether something is to be done that cannot be undone; what it is about is named. */
export function confirm(question, verb, act) {
  const dialog = byId('dialog');
  const close = () => dialog.close();
  const no = h('button', { onclick: close, autofocus: true }, 'No');
  const yes = h(
    'button.danger',
    {
      onclick: () => {
        close();
        act();
      },
    },
    verb,
  );
  dialog.replaceChildren(h('h2', { id: 'dialog-title' }, question), h('div.dialog-end', no, yes));
  dialog.showModal();
}

/** For buttons: what goes wrong is said. */
export async function attempt(method, path, body) {
  try {
    return await ask(method, path, body);
  } catch (cause) {
    toast(cause.message);
    return undefined;
  }
}

/**
 * A button that cancels one thing and nothing else, also if another one has taken its place meanwhile.
 * @param what it is called
 */
export function cancelButton(kind, what, path) {
  const ask = () => confirm(`Cancel ${what}?`, `Cancel the ${kind}`, () => attempt('DELETE', path));
  return h(
    'button.danger',
    { onclick: ask, 'aria-label': `Cancel ${what}`, 'data-key': `cancel ${path}` },
    'Cancel',
  );
}
