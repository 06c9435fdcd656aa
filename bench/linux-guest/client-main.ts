import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Nanos } from '../../src/core/units.ts';
import { clockNs } from '../../src/platform/clock.ts';
import { reasonOf } from '../../src/platform/failure.ts';

/** What the client of a Linux guest is told, and what it says. */
export type ClientCommand = 'watch gaps' | 'report';
export type ClientReport =
  | { readonly kind: 'served' }
  | { readonly kind: 'failed'; readonly why: string }
  | ({ readonly kind: 'reported' } & ClientMeasurements);
export interface ClientMeasurements {
  /** Writes that were asked for and answered. */
  readonly writes: number;
  readonly failed: number;
  /** Why the first one failed. */
  readonly failure: string | null;
  /** Of the answered, those that the service does not have in the end, or has more than once. */
  readonly lost: number;
  readonly repeated: number;
  /** The longest time between two answers since gaps are watched, by the host's clock. */
  readonly longestGap: Gap;
  /** Segments that the client sent again since then, for want of an answer (RFC 4022: tcpRetransSegs). */
  readonly retransmissions: number;
}
export interface Gap {
  readonly fromNs: Nanos;
  readonly untilNs: Nanos;
}

/**
 * The client of a Linux guest's service, a process in the guest's network: appends one number after the other to a list, each when
 * the one before it was answered and `PAUSE_MS` have passed, over one connection, and never asks twice.
 */
const LIST = 'numbers';
const PAUSE_MS = 3;
const BOOT_MS = 60_000;
/** Longer than any pause that is tried: a write that is not answered by then has failed. */
const PATIENCE_MS = 20_000;

const [host, port] = process.argv.slice(2);
let lastNs = clockNs();
let longestGap: Gap = { fromNs: lastNs, untilNs: lastNs };
let retransmissionsBefore = 0;
let failed = 0;
let failure: string | null = null;
let isDone = false;
const answered: number[] = [];

process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('SIGINT', () => {});
try {
  const redis = await connected();
  report({ kind: 'served' });
  const writing = write(redis);
  process.on('message', async (command: ClientCommand) => {
    if (command === 'watch gaps') {
      longestGap = { fromNs: lastNs, untilNs: lastNs };
      retransmissionsBefore = retransmissions();
    } else {
      isDone = true;
      await writing;
      report({ kind: 'reported', ...(await measurementsOf(redis)) });
    }
  });
} catch (cause) {
  report({ kind: 'failed', why: reasonOf(cause) });
}

/** The service's first answer is waited for; after it, one connection must do. */
async function connected(): Promise<Redis> {
  const until = Date.now() + BOOT_MS;
  for (;;) {
    const redis = new Redis({
      ...{ host: host!, port: Number(port), lazyConnect: true, connectTimeout: 1_000 },
      ...{ commandTimeout: PATIENCE_MS, maxRetriesPerRequest: 0, retryStrategy: () => null },
    });
    redis.on('error', () => {});
    try {
      await redis.connect();
      await redis.ping();
      return redis;
    } catch (cause) {
      redis.disconnect();
      if (Date.now() > until) throw cause;
      await sleep(50);
    }
  }
}

async function write(redis: Redis): Promise<void> {
  for (let number = 1; !isDone; number++) {
    try {
      await redis.rpush(LIST, number);
      answered.push(number);
      const nowNs = clockNs();
      const { fromNs, untilNs } = longestGap;
      if (nowNs - lastNs > untilNs - fromNs) longestGap = { fromNs: lastNs, untilNs: nowNs };
      lastNs = nowNs;
    } catch (cause) {
      failed += 1;
      failure ??= reasonOf(cause);
    }
    await sleep(PAUSE_MS);
  }
}

async function measurementsOf(redis: Redis): Promise<ClientMeasurements> {
  const figures = {
    writes: answered.length,
    failed,
    failure,
    longestGap,
    retransmissions: retransmissions() - retransmissionsBefore,
  };
  try {
    const kept = await redis.lrange(LIST, 0, -1);
    const known = new Set(kept);
    const lost = answered.filter((number) => !known.has(String(number))).length;
    return { ...figures, lost, repeated: kept.length - known.size };
  } catch (cause) {
    return { ...figures, failure: failure ?? reasonOf(cause), lost: answered.length, repeated: 0 };
  }
}

function retransmissions(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('RetransSegs')]);
}

function report(message: ClientReport): void {
  process.send!(message);
}
