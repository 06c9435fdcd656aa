import { Random } from '../random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../units.ts';
import { frequency, type Heat, known, recency } from './heat.ts';
import { orders } from './order/orders.ts';
import { PageSet } from './pages.ts';
import { type Plan, slotsPerWindow } from './plan.ts';
import type { Course, Outcome, RoundRecord, StopRecord } from './course.ts';
import type { Seen, SeenOf, Step } from './steps.ts';
import { stopRule } from './stop/stops.ts';

type Migration<Result> = Generator<Step, Result, Seen>;

/**
 * The migration, once for all worlds (Checconi, Cucinotta and Stein, §3): round k sends D_k ∖ F_k in the order
 * φ_k while the guest runs; what is dirty at its end is D_{k+1}; when the stop rule says so the guest stops,
 * D_{K+1} is sent at b_d, and the destination takes over.
 *
 * A generator cannot await, read a clock or open a socket: the same plan and the same answers give the same
 * steps and the same record.
 */
export function* migrate(plan: Plan): Migration<Course> {
  const story = new Story();
  try {
    const heats = yield* learnHeats(plan);
    yield* liveRounds(plan, heats, story);
    return yield* stopAndCopy(plan, story);
  } catch (cause) {
    if (!(cause instanceof StepFailed)) throw cause;
    return yield* giveUp(story, 'failed', cause.message);
  }
}

/** What has happened so far. */
class Story {
  startedAtNs: Nanos | undefined;
  stoppedAtNs: Nanos | undefined;
  stopReason = '';
  readonly rounds: RoundRecord[] = [];
  stop: StopRecord = { pages: 0, bytes: 0, durationNs: 0 };
}

interface Heats {
  readonly forOrder: Heat;
  readonly forDeferral: Heat;
}

/** Before the start: watch the guest window by window, unless the plan knows its program or needs no history. */
function* learnHeats(plan: Plan): Migration<Heats> {
  const orderHeat = orders[plan.order].heat;
  const needed = orderHeat !== 'none' || plan.defer !== null;
  if (needed && plan.heat === 'known') {
    const { writesPerSecond } = yield* ask({ kind: 'learn' }, 'learned');
    const heat = known(writesPerSecond, plan.windowNs);
    return { forOrder: heat, forDeferral: heat };
  }
  const byFrequency = frequency(plan.pages, plan.halfLifeNs);
  const byRecency = recency(plan.pages);
  for (let watchedNs = 0; needed && watchedNs < plan.observeNs; ) {
    const { dirty, windowNs } = yield* ask({ kind: 'observe', windowNs: plan.windowNs }, 'dirty');
    byFrequency.see(dirty, windowNs);
    byRecency.see(dirty, windowNs);
    watchedNs += windowNs;
  }
  return { forOrder: orderHeat === 'recency' ? byRecency : byFrequency, forDeferral: byFrequency };
}

/** Rounds until the stop rule has enough. */
function* liveRounds(plan: Plan, heats: Heats, story: Story): Migration<void> {
  const random = Random.seeded(plan.seed, ORDER_STREAM);
  const context = { heat: heats.forOrder, slotsPerWindow: slotsPerWindow(plan), random };
  const enough = stopRule(plan.stop);
  let { now, dirty } = yield* ask({ kind: 'track' }, 'dirty');
  const startedAtNs = now;
  story.startedAtNs = startedAtNs;
  let sentBytes = 0;
  for (;;) {
    const roundStartedAtNs = now;
    const deferred = deferredOf(plan, heats.forDeferral, dirty);
    const pages = orders[plan.order].order(dirty.copy().deleteAll(deferred), context);
    const sent = yield* ask({ kind: 'send', pages, rateBytesPerSecond: plan.rateBytesPerSecond }, 'sent');
    const harvest = yield* ask({ kind: 'harvest' }, 'dirty');
    story.rounds.push({
      round: story.rounds.length + 1,
      dirtyPages: dirty.count(),
      sentPages: sent.sentPages,
      deferredPages: deferred.count(),
      skippedPages: sent.skippedPages,
      zeroPages: sent.zeroPages,
      bytes: sent.bytes,
      durationNs: harvest.now - roundStartedAtNs,
    });
    ({ now, dirty } = harvest);
    sentBytes += sent.bytes;
    const pendingPages = dirty.count();
    const verdict = enough({
      rounds: story.rounds,
      roundEnded: true,
      pendingPages,
      pendingBytes: pendingPages * plan.pageBytes,
      elapsedNs: now - startedAtNs,
      sentBytes,
      bandwidthBytesPerSecond: (sent.bytes * NANOS_PER_SECOND) / Math.max(1, now - roundStartedAtNs),
      guestBytes: plan.pages * plan.pageBytes,
    });
    if (verdict) {
      story.stopReason = verdict.reason;
      return;
    }
  }
}

/** F_k = {p ∈ D_k : π̂(p) ≥ threshold}, the probability being that of a write within one sampling window. */
function deferredOf(plan: Plan, heat: Heat, dirty: PageSet): PageSet {
  const deferred = new PageSet(dirty.pages);
  const { defer } = plan;
  if (defer) {
    dirty.each((page) => {
      if (heat.of(page) >= defer.threshold) deferred.add(page);
    });
  }
  return deferred;
}

/** Stop, send D_{K+1} at b_d, hand over. */
function* stopAndCopy(plan: Plan, story: Story): Migration<Course> {
  const stopped = yield* ask({ kind: 'stop' }, 'dirty');
  story.stoppedAtNs = stopped.now;
  const sent = yield* ask(
    { kind: 'send', pages: stopped.dirty.toArray(), rateBytesPerSecond: plan.stopRateBytesPerSecond },
    'sent',
  );
  const memoryNs = sent.now - stopped.now;
  story.stop = { pages: sent.sentPages, bytes: sent.bytes, durationNs: memoryNs };
  const handed = yield* ask({ kind: 'hand over', verify: plan.verify }, 'handed over');
  return {
    outcome: 'completed',
    reason: story.stopReason,
    owner: 'destination',
    rounds: story.rounds,
    stop: story.stop,
    downtimeNs: handed.runningAtNs - stopped.now,
    downtimeParts: {
      memoryNs,
      stateNs: handed.readyAtNs - sent.now,
      verifyNs: handed.verifiedAtNs - handed.readyAtNs,
      commitNs: handed.committedAtNs - handed.verifiedAtNs,
      resumeNs: handed.runningAtNs - handed.committedAtNs,
    },
    totalNs: handed.runningAtNs - (story.startedAtNs ?? stopped.now),
    ...handed.witness,
  };
}

/** The guest runs on at the source, if the world can still say so; what it had to stand is downtime all the same. */
function* giveUp(story: Story, outcome: Outcome, why: string): Migration<Course> {
  const { now, owner, witness } = yield* ask({ kind: 'abort', why }, 'aborted');
  const downtimeNs = story.stoppedAtNs === undefined ? 0 : now - story.stoppedAtNs;
  return {
    outcome,
    reason: why,
    owner,
    rounds: story.rounds,
    stop: story.stop,
    downtimeNs,
    downtimeParts: { memoryNs: downtimeNs, stateNs: 0, verifyNs: 0, commitNs: 0, resumeNs: 0 },
    totalNs: story.startedAtNs === undefined ? 0 : now - story.startedAtNs,
    ...witness,
  };
}

/** A world could not carry out a step. */
class StepFailed extends Error {}

/** Yields a step and insists on the answer that belongs to it. */
function* ask<K extends Seen['kind']>(step: Step, kind: K): Migration<SeenOf<K>> {
  const seen = yield step;
  if (seen.kind === kind) return seen as SeenOf<K>;
  if (seen.kind === 'failed') throw new StepFailed(seen.why);
  throw new TypeError(`the world answered '${seen.kind}' to '${step.kind}'; expected '${kind}'`);
}

/** Streams of random numbers of one seed: the guest draws from stream 0. */
const ORDER_STREAM = 1;
