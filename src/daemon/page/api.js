/** What the daemon is asked. */
const KEY = 'switchover-key';

/** What the daemon has refused. */
class Refused extends Error {
  constructor({ error, problems = [] }) {
    super(error);
    this.problems = problems;
  }
}

/** @param signal it is not waited for any more. @throws Error what the daemon said instead */
export async function ask(method, path, body, signal) {
  const key = sessionStorage.getItem(KEY);
  const headers = {
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(key && { authorization: `Bearer ${key}` }),
  };
  const answer = await fetch(path, {
    method,
    headers,
    ...(signal && { signal }),
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
      return ask(method, path, body, signal);
    }
  }
  throw new Refused(said ?? { error: `${answer.status}` });
}
