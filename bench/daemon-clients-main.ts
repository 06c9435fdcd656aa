import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Clients of a daemon, in a process of their own: so many who watch, so many requests a second that take computing, and
 * a scrape a second. Says `ready` when all watch, and counts what was answered until its input ends.
 */
const [address = '', watchers = '1000', postsPerSecond = '50'] = process.argv.slice(2);
const [host, port] = address.split(':');
const counts: Record<string, number> = { events: 0 };

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

function watch(): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, path: '/api/events', agent: false }, (answer) => {
      answer.on('data', () => count('events'));
      answer.on('error', () => count('watchers that were let go'));
      resolve();
    });
    asking.on('error', reject);
    asking.end();
  });
}

/** Of a guest to whose migration no link is wide enough, which shows once it has been predicted. */
async function post(): Promise<void> {
  const body = { guest: 'large', to: '127.0.0.1:1', over: 'narrow', link: { rate: '10Mbit/s' } };
  const answer = await fetch(`http://${address}/api/migrations`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  await answer.arrayBuffer();
  count(`POST ${answer.status}`);
}

async function scrape(): Promise<void> {
  await (await fetch(`http://${address}/metrics`)).arrayBuffer();
  count('scrapes');
}

for (let open = 0; open < Number(watchers); open += 50)
  await Promise.all(Array.from({ length: Math.min(50, Number(watchers) - open) }, watch));
const failed = () => count('requests that failed');
const timers = [
  setInterval(() => void post().catch(failed), 1_000 / Number(postsPerSecond)),
  setInterval(() => void scrape().catch(failed), 1_000),
];
await sleep(1_000);
console.log('ready');
process.stdin.resume().once('end', () => {
  for (const timer of timers) clearInterval(timer);
  console.log(JSON.stringify(counts));
  process.exit();
});
