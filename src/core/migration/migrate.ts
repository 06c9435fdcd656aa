import { Random } from '../random.ts';
import { RegisteredCodeFailed } from '../registry.ts';
import { formatDuration, type Nanos } from '../units.ts';
import { achievedRates, linkShortfalls, shortfallNote } from './achieved-rate.ts';
import { ask, type Migration, StepFailed } from './ask.ts';
import { AskedRound, lookInTime } from './asked/asked-round.ts';
import { DirtyCount } from './asked/dirty-count.ts';
import { underContract } from './contract.ts';
import { deferrable } from './deferral.ts';
import type { Device } from './device.ts';
import { type Heats, learnHeats } from './learned-heats.ts';
import { LumpedPages } from './lumped/lumped-pages.ts';
import { LumpedRound } from './lumped/lumped-round.ts';
import {
  arrived,
  downtimeParts,
  type Measurements,
  type MigrationResult,
  type Outcome,
} from './migration-result.ts';
import { MigrationState } from './migration-state.ts';
import { NumberedRound } from './numbered-round.ts';
import { orderRegistry } from './order/orders.ts';
import type { OrderContext } from './order/page-order.ts';
import { partsOfPause } from './pause.ts';
import { type Plan, slotsPerWindow } from './plan.ts';
import { type Looks, sendRound } from './round.ts';
import { asCount, asLumped, asNumbered, type DirtyPages, type RoundPages, stopBatch } from './round-pages.ts';

/**
 * The migration, once for all worlds (Checconi, Cucinotta and Stein, §3): round k sends D_k ∖ F_k in the order
 * φ_k while the guest runs; what is dirty at its end is D_{k+1}; when the stop rule says so the guest is paused,
 * D_{K+1} is sent at b_d, and the destination takes over.
 *
 * A generator cannot await, read a clock or open a socket: the same plan and the same answers give the same
 * steps and the same record.
 * @throws InvariantViolated the world, the page order or this program breaks one of core's rules
 */
export function migrate(plan: Plan): Migration<MigrationResult> {
  return underContract(precopy(plan), plan.pages);
}

function* precopy(plan: Plan): Migration<MigrationResult> {
  const state = new MigrationState(plan);
  try {
    const heats = yield* learnHeats(plan);
    const owed = yield* liveRounds(plan, heats, state);
    return yield* stopAndCopy(plan, owed, state);
  } catch (cause) {
    if (cause instanceof StepFailed) {
      state.failed(cause);
      return yield* giveUp(state, cause.outcome, cause.message);
    }
    if (cause instanceof RegisteredCodeFailed) return yield* giveUp(state, 'failed', cause.message);
    if (cause instanceof NotConverged) return yield* giveUp(state, 'not-converged', cause.message);
    throw cause;
  }
}

/** The stop rule, or the plan's timeout, has given up. */
class NotConverged extends Error {}

/** Rounds until the stop rule has enough. Returns what is known to be owed to the destination by then. */
function* liveRounds(plan: Plan, heats: Heats, state: MigrationState): Migration<DirtyPages> {
  let { now, dirty } = yield* ask({ kind: 'track' });
  let verdict = state.begin(dirty.count(), now);
  const roundOf = rounds(plan, heats, dirty, () => state.isLastRound);
  // What a guest in counts owes is counted from what was taken.
  const takes = plan.clear === 'round' || dirty instanceof LumpedPages;
  if (takes) yield* ask({ kind: 'harvest', take: true });
  let waitsNs = 0;
  while (verdict === undefined) {
    const startedAtNs = now;
    const round = roundOf(dirty);
    const { dirtyPages, unsentPages } = round;
    const looks: Looks = {
      next: (sent) => {
        const look = state.nextLook();
        return round instanceof AskedRound ? lookInTime(look, sent, plan, state.meter.bytesPerSecond) : look;
      },
      isEnough: (pendingPages, sent) => {
        verdict = state.verdict(pendingPages, sent.now, sent);
        return verdict !== undefined;
      },
    };
    const sent = yield* sendRound(plan, round, state.meter, startedAtNs, looks);
    if (waitsNs > 0) yield* ask({ kind: 'wait', forNs: waitsNs });
    const harvest = yield* ask({ kind: 'harvest', take: takes });
    state.sentBytes += sent.bytes;
    state.sendingNs += sent.now - startedAtNs;
    if (unsentPages > 0 && round.unsentPages === 0) state.answeredRounds += 1;
    state.rounds.push({
      round: state.rounds.length + 1,
      dirtyPages,
      sentPages: sent.sentPages,
      deferredPages: round.heldBack(sent.sentPages),
      skippedPages: sent.skippedPages,
      zeroPages: sent.zeroPages,
      bytes: sent.bytes,
      durationNs: harvest.now - startedAtNs,
    });
    now = harvest.now;
    dirty = round.rest(harvest.dirty);
    verdict ??= state.verdict(dirty.count(), now);
    const hasWaited = waitsNs > 0;
    waitsNs = 0;
    // While it waited, pages may have become dirty that can be sent.
    if (verdict !== undefined || unsentPages > 0 || hasWaited) continue;
    const waits = state.allWaits(dirty.count(), now);
    if (waits?.decision === 'go on') waitsNs = state.untilNs(waits, now);
    else verdict = waits;
  }
  if (verdict.decision === 'give up') throw new NotConverged(verdict.reason);
  state.stopReason = verdict.reason;
  return dirty;
}

/** Makes each round of what is dirty as it begins, in the way of the world's first answer: page by page, in counts, or asked for. */
function rounds(
  plan: Plan,
  { forOrder: heat, forDeferral }: Heats,
  first: DirtyPages,
  isLast: () => boolean,
): (dirty: DirtyPages) => RoundPages {
  const random = Random.seeded(plan.seed, ORDER_STREAM);
  if (first instanceof LumpedPages) return (dirty) => new LumpedRound(plan, asLumped(dirty), random);
  const { order, heat: heatKind } = orderRegistry.get(plan.order);
  const context = { heat, slotsPerWindow: slotsPerWindow(plan), random };
  const heldBack = deferrable(plan.defer, forDeferral, plan.pages);
  if (first instanceof DirtyCount) {
    const asked = { ...context, random: heatKind === 'none' ? random : inTheirOrder };
    return (dirty) => new AskedRound(plan, asCount(dirty), heldBack, order, asked, isLast());
  }
  return (dirty) => new NumberedRound(plan, asNumbered(dirty), heldBack, order, context);
}

/** Breaks no ties: neighbours of equal heat stay neighbours, which are asked for at once. */
const inTheirOrder: OrderContext['random'] = { shuffle: (pages) => pages };

/** Stop, send D_{K+1} at b_d, and what the devices have, hand over. */
function* stopAndCopy(plan: Plan, owed: DirtyPages, state: MigrationState): Migration<MigrationResult> {
  const stopped = yield* ask({ kind: 'stop' });
  const pause = { pausedAtNs: stopped.now - stopped.windowNs, scannedAtNs: stopped.now };
  state.pause = pause;
  const sent = yield* ask({
    kind: 'send',
    pages: stopBatch(stopped.dirty, owed, plan.pages),
    rateBytesPerSecond: plan.stopRateBytesPerSecond,
    clears: true,
    endsRound: true,
  });
  const sentAtNs = sent.now;
  state.pause = { ...pause, sentAtNs };
  state.stop = { pages: sent.sentPages, bytes: sent.bytes, durationNs: sentAtNs - stopped.now };
  const devicesAtNs = plan.device ? yield* sendDevice(plan, plan.device) : sentAtNs;
  state.pause = { ...pause, sentAtNs, devicesAtNs };
  const handed = yield* ask({ kind: 'hand over', verify: plan.verify });
  const { readyAtNs, verifiedAtNs, committedAtNs, runningAtNs } = handed;
  return {
    ...arrived(state.stopReason, handed.measurements.verified),
    rounds: state.rounds,
    stop: state.stop,
    downtimeNs: runningAtNs - pause.pausedAtNs,
    downtimeParts: partsOfPause({ ...state.pause, readyAtNs, verifiedAtNs, committedAtNs }, runningAtNs),
    totalNs: runningAtNs - (state.startedAtNs ?? stopped.now),
    ...withAchieved(state, handed.measurements, handed.lateNs),
  };
}

/** @param lateNs by how much the last pages arrived later than a link without delays would have carried them */
function withAchieved(state: MigrationState, measurements: Measurements, lateNs: Nanos = 0) {
  const { link, notes } = measurements;
  const { plan, rounds, stop, sentBytes, sendingNs, answeredRounds } = state;
  const waysNs = answeredRounds * (link.roundTripNs ?? 0);
  const achieved = achievedRates(
    plan,
    { bytes: sentBytes, durationNs: sendingNs - waysNs },
    { bytes: stop.bytes, durationNs: stop.durationNs + lateNs },
  );
  const short = linkShortfalls({ plan, rounds, stop, achieved, link });
  // What QEMU sends when, and what it waits for, is not the link's doing.
  const said = measurements.fidelity ? [] : short.map(shortfallNote);
  return { ...measurements, achieved, notes: [...notes, ...said] };
}

/** @returns when that was done */
function* sendDevice({ stopRateBytesPerSecond }: Plan, device: Device): Migration<Nanos> {
  return (yield* ask({ kind: 'device', device, rateBytesPerSecond: stopRateBytesPerSecond })).now;
}

/** The guest runs on at the source, if the world can still say so; the time that it was paused is downtime all the same. */
function* giveUp(state: MigrationState, outcome: Outcome, why: string): Migration<MigrationResult> {
  const { now, owner, measurements } = yield* ask({ kind: 'abort', why });
  const seen = withAchieved(state, measurements);
  const { pause, handover } = state;
  const { commitLeftAtNs, runningAtNs, ...reached } = handover;
  const isUnknown = owner === 'nobody' && commitLeftAtNs !== undefined;
  const pauseEndNs = runningAtNs ?? (isUnknown ? commitLeftAtNs : now);
  const downtimeNs = pause ? pauseEndNs - pause.pausedAtNs : 0;
  return {
    outcome,
    reason: why,
    owner,
    rounds: state.rounds,
    stop: state.stop,
    downtimeNs,
    downtimeParts: pause ? partsOfPause({ ...pause, ...reached }, pauseEndNs) : downtimeParts(),
    totalNs: state.startedAtNs === undefined ? 0 : now - state.startedAtNs,
    ...seen,
    notes: isUnknown ? [...seen.notes, downtimeUnknown(downtimeNs, now - pauseEndNs)] : seen.notes,
  };
}

function downtimeUnknown(knownNs: Nanos, sinceNs: Nanos): string {
  return `the downtime is known up to the commit only, ${formatDuration(knownNs)}: whether the guest has run at its destination in the ${formatDuration(sinceNs)} since then is not known`;
}

/** Streams of random numbers of one seed: the guest draws from stream 0. */
const ORDER_STREAM = 1;
