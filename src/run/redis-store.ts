import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { changeCapacity, emptyLedger, inEpoch, type Ledger } from '../core/link/ledger.ts';
import { type BytesPerSecond, formatRate, NANOS_PER_SECOND } from '../core/units.ts';
import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import type { LedgerStore } from './lease-client.ts';

/** How long a lease outlives its holder. */
const TIME_TO_LIVE_NS = 3 * NANOS_PER_SECOND;
/** A ledger that nobody has changed for so long is forgotten. It is kept for long, since a new one may be one that was lost. */
const FORGOTTEN_AFTER_MS = 7 * 24 * 3_600_000;
const LOOK_MS = 50;
/** No answer for so long is none: well below the time to live. */
const PATIENCE_MS = 1_000;
const MOST_TRIES = 1_000;

/** The ledger, the server's clock (seconds, and microseconds within them), and which run of the server this is, if it says so. */
const READ = `
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
return { redis.call('GET', KEYS[1]) or '', redis.call('TIME'), run }`;
/** Writes the ledger if it is still the one that was read. */
const REPLACE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

type Kept = [text: string, time: [seconds: string, micros: string], run: string];

/**
 * The ledger of a link that several processes use, on one host or many, kept in Redis as a whole: whoever changes it
 * reads it, applies the same rule as everybody (`core/link/ledger`), and writes it if nobody else has meanwhile; otherwise
 * again. Its clock is the server's.
 *
 * A server that was started anew, or another one that has taken its place, has an empty ledger or an old one. Its run is the epoch
 * of the ledger: what another one has written is not trusted (docs/decisions/045-figures-and-what-they-rest-on.md).
 * @throws Failure no such server
 * @throws Refusal others keep this link with another capacity
 */
export async function redisStore(url: string, link: string, capacity: BytesPerSecond): Promise<LedgerStore> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    commandTimeout: PATIENCE_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => LOOK_MS,
  });
  let trouble: unknown;
  redis.on('error', (cause) => {
    trouble = cause;
  });
  const failure = (cause: unknown) =>
    new Failure(`no Redis at ${shownUrl(url)}: ${reasonOf(trouble ?? cause)}`);
  const key = `switchover:link:${link}`;
  const empty = emptyLedger(capacity, TIME_TO_LIVE_NS);

  const update: LedgerStore['update'] = async (change) => {
    try {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const [text, [seconds, micros], run] = (await redis.eval(READ, 1, key)) as Kept;
        const now = Number(seconds) * NANOS_PER_SECOND + Number(micros) * 1_000;
        const kept = text === '' ? empty : (JSON.parse(text) as Ledger);
        const ledger = change(inEpoch(kept, run, now), now);
        const changed = JSON.stringify(ledger);
        if (changed === text) return { ledger, now };
        if ((await redis.eval(REPLACE, 1, key, text, changed, FORGOTTEN_AFTER_MS)) === 1)
          return { ledger, now };
        await sleep(randomInt(1, 10));
      }
    } catch (cause) {
      throw failure(cause);
    }
    throw new Failure(`the ledger of the link at ${shownUrl(url)} is changed by too many processes at once`);
  };
  const close = async () => redis.disconnect();

  try {
    await redis.connect();
  } catch (cause) {
    await close();
    throw failure(cause);
  }
  // Where nobody has anything of it, the link is what its next user says.
  const { ledger } = await update((there, now) =>
    there.leases.length + there.queue.length === 0 ? changeCapacity(there, capacity, now) : there,
  );
  if (ledger.capacityBytesPerSecond !== capacity) {
    await close();
    const [here, there] = [formatRate(capacity), formatRate(ledger.capacityBytesPerSecond)];
    throw new Refusal(`link.capacity is ${here}, but other processes use this link in Redis with ${there}`);
  }
  /** Others change it without a word: it is looked at again after a while. */
  const changedSince: LedgerStore['changedSince'] = (_, signal) =>
    sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  return { update, changedSince, close };
}

/** Without the password. */
function shownUrl(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
