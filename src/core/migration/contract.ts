import { InvariantViolated } from '../invariants.ts';
import type { Nanos } from '../units.ts';
import type { Migration } from './ask.ts';
import { DirtyCount } from './asked/dirty-count.ts';
import type { LumpedPages } from './lumped/lumped-pages.ts';
import type { MigrationResult, Owner } from './migration-result.ts';
import { PageSet } from './pages.ts';
import type { DirtyPages } from './round-pages.ts';
import type { Step, StepResult, StepResultOf } from './steps.ts';
import { wordsOfWindows } from './windows-seen.ts';

/**
 * The same migration, of a guest of so many pages, which believes no answer that breaks what every world owes it:
 *
 * - Time never runs backwards, neither from one answer to the next nor within one: a pause begins no earlier than the
 *   answer before it, and the parts of a hand-over follow each other.
 * - Dirty pages are pages of the guest. No more windows were watched than were asked for.
 * - All pages that were asked for were sent, or clean, unless the step had an end that has come; pages of zeros are counted among them.
 * - The guest has one owner: the source until the hand-over, then whoever the last answer names. The result says the same.
 *
 * `ask` insists that each step has its own kind of answer.
 * @throws InvariantViolated one of these does not hold
 */
export function* underContract(
  migration: Migration<MigrationResult>,
  pages: number,
): Migration<MigrationResult> {
  let lastNs = Number.NEGATIVE_INFINITY;
  let owner: Owner = 'source';
  let wasHandedOver = false;
  let next = migration.next();
  while (!next.done) {
    const step = next.value;
    const answer = yield step;
    insistOnOrder(step, answer, lastNs);
    lastNs = answer.now;
    if (answer.kind === 'dirty') insistOnDirty(answer.dirty, pages);
    if (step.kind === 'observe' && answer.kind === 'watched') insistOnWindows(step.windows, answer, pages);
    if (step.kind === 'send' && answer.kind === 'sent') insistOnAll(step, answer);
    wasHandedOver ||= step.kind === 'hand over';
    if (answer.kind === 'handed over') owner = 'destination';
    if (answer.kind === 'aborted') ({ owner } = answer);
    if (owner === 'destination' && !wasHandedOver) {
      throw new InvariantViolated('owner: the source until the hand-over', { step: step.kind, owner });
    }
    next = migration.next(answer);
  }
  if (next.value.owner !== owner) {
    throw new InvariantViolated('owner: whom the last answer names', {
      named: owner,
      result: next.value.owner,
    });
  }
  return next.value;
}

/** The instants that an answer names, in the order in which they must have come. */
function instantsOf(step: Step, answer: StepResult): Readonly<Record<string, Nanos>> {
  const { now } = answer;
  if (step.kind === 'stop' && answer.kind === 'dirty') return { pausedAtNs: now - answer.windowNs, now };
  if (answer.kind !== 'handed over') return { now };
  const { readyAtNs, verifiedAtNs, committedAtNs, runningAtNs } = answer;
  return { readyAtNs, verifiedAtNs, committedAtNs, runningAtNs };
}

function insistOnOrder(step: Step, answer: StepResult, lastNs: Nanos): void {
  // Of most answers there is nothing more to say.
  if (step.kind !== 'stop' && step.kind !== 'hand over' && answer.now >= lastNs) return;
  const instants = instantsOf(step, answer);
  let before = lastNs;
  for (const atNs of Object.values(instants)) {
    if (!(atNs >= before))
      throw new InvariantViolated('world: time never runs backwards', { lastNs, ...instants });
    before = atNs;
  }
}

function insistOnDirty(dirty: DirtyPages, pages: number): void {
  if (dirty instanceof PageSet) insistOnPages(dirty, pages);
  else if (dirty instanceof DirtyCount) insistOnCount(dirty, pages);
  else insistOnCounts(dirty, pages);
}

function insistOnCount({ dirtyPages }: DirtyCount, expected: number): void {
  if (Number.isInteger(dirtyPages) && dirtyPages >= 0 && dirtyPages <= expected) return;
  throw new InvariantViolated('world: dirty pages are pages of the guest', { dirtyPages, expected });
}

function insistOnCounts(dirty: LumpedPages, expected: number): void {
  const { strata } = dirty;
  const pages = strata.reduce((sum, each) => sum + each.pages, 0);
  const beyond = strata.findIndex((each, stratum) => dirty.pendingOf(stratum) > each.pages);
  if (pages === expected && beyond === -1) return;
  throw new InvariantViolated('world: dirty pages are pages of the guest', { pages, expected, beyond });
}

function insistOnPages({ pages, words }: PageSet, expected: number): void {
  const beyond = expected % 32 === 0 ? 0 : words.at(-1)! >>> (expected % 32);
  if (pages === expected && words.length === Math.ceil(expected / 32) && beyond === 0) return;
  throw new InvariantViolated('world: dirty pages are pages of the guest', { pages, expected, beyond });
}

function insistOnWindows(asked: number, { windows }: StepResultOf<'watched'>, guestPages: number): void {
  const { lengthsNs, pages, seen } = windows;
  const count = lengthsNs.length;
  const once = new PageSet(guestPages);
  for (let i = 0; i < pages.length; i++) if (pages[i]! < guestPages) once.add(pages[i]!);
  const words = wordsOfWindows(count);
  if (count >= 1 && count <= asked && once.count() === pages.length && seen.length === words * pages.length)
    return;
  throw new InvariantViolated('world: windows are those asked for, of pages of the guest', {
    asked,
    windows: count,
    pages: pages.length,
    different: once.count(),
    words: seen.length,
  });
}

function insistOnAll(
  { pages, untilNs = Number.POSITIVE_INFINITY }: Extract<Step, { kind: 'send' }>,
  { now, sentPages, zeroPages, cleanPages = 0 }: StepResultOf<'sent'>,
): void {
  const asked = pages.length;
  const hadTurn = sentPages + cleanPages;
  const sentEnough = hadTurn === asked || (hadTurn < asked && now >= untilNs);
  if (sentEnough && zeroPages <= sentPages) return;
  throw new InvariantViolated('world: all pages asked for are sent', {
    asked,
    sentPages,
    cleanPages,
    zeroPages,
  });
}
