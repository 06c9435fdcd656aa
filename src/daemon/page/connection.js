import { toast } from './dom.js';

/**
 * What the daemon knows, kept up to date: everything once, and then what changes. When the connection is lost, the
 * browser tries again by itself; once it succeeds everything is asked for anew, since events of the meantime are lost.
 */
export function connect({ loaded, happened, connection }) {
  const source = new EventSource('api/events');
  let loading = false;
  let early = [];
  source.onopen = async () => {
    loading = true;
    early = [];
    try {
      loaded(await ask('GET', 'api/state'));
      connection('live', 'good');
    } catch (cause) {
      connection(cause.message, 'bad');
    } finally {
      loading = false;
      for (const event of early) happened(...event);
    }
  };
  source.onerror = () => {
    connection('connection lost, retrying', 'bad');
    // A daemon that is starting may answer with an error, after which a browser does not try again.
    if (source.readyState === EventSource.CLOSED) {
      source.close();
      setTimeout(() => connect({ loaded, happened, connection }), 1000);
    }
  };
  for (const kind of ['guests', 'links', 'degraded', 'migration', 'experiment', 'pulse']) {
    source.addEventListener(kind, ({ data }) => {
      const event = [kind, JSON.parse(data)];
      if (loading) early.push(event);
      else happened(...event);
    });
  }
}

const KEY = 'switchover-key';

/** @throws Error what the daemon said instead */
export async function ask(method, path, body) {
  const key = sessionStorage.getItem(KEY);
  const headers = {
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(key && { authorization: `Bearer ${key}` }),
  };
  const answer = await fetch(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const said = text === '' ? undefined : JSON.parse(text);
  if (answer.ok) return said;
  if (answer.status === 401) {
    sessionStorage.removeItem(KEY);
    const given = prompt(`${said.error}\n\nThe key of this daemon:`);
    if (given) {
      sessionStorage.setItem(KEY, given.trim());
      return ask(method, path, body);
    }
  }
  throw new Error(said?.error ?? `${answer.status}`);
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
