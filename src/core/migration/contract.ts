import { InvariantViolated } from '../invariants.ts';
import type { Nanos } from '../units.ts';
import type { Migration } from './ask.ts';
import type { MigrationResult, Owner } from './migration-result.ts';
import type { PageSet } from './pages.ts';
import type { Step, StepResult, StepResultOf } from './steps.ts';

/**
 * The same migration, of a guest of so many pages, which believes no answer that breaks what every world owes it:
 *
 * - Time never runs backwards, neither from one answer to the next nor within one: a pause begins no earlier than the
 *   answer before it, and the parts of a hand-over follow each other.
 * - Dirty pages are pages of the guest.
 * - All pages that were asked for were sent, unless the step had an end that has come; pages of zeros are counted among them.
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
    insistOnOrder(instantsOf(step, answer), lastNs);
    lastNs = answer.now;
    if (answer.kind === 'dirty') insistOnPages(answer.dirty, pages);
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

function insistOnOrder(instants: Readonly<Record<string, Nanos>>, lastNs: Nanos): void {
  let before = lastNs;
  for (const atNs of Object.values(instants)) {
    if (!(atNs >= before))
      throw new InvariantViolated('world: time never runs backwards', { lastNs, ...instants });
    before = atNs;
  }
}

function insistOnPages({ pages, words }: PageSet, expected: number): void {
  const beyond = expected % 32 === 0 ? 0 : words.at(-1)! >>> (expected % 32);
  if (pages === expected && words.length === Math.ceil(expected / 32) && beyond === 0) return;
  throw new InvariantViolated('world: dirty pages are pages of the guest', { pages, expected, beyond });
}

function insistOnAll(
  { pages, untilNs = Number.POSITIVE_INFINITY }: Extract<Step, { kind: 'send' }>,
  { now, sentPages, zeroPages }: StepResultOf<'sent'>,
): void {
  const asked = pages.length;
  const sentEnough = sentPages === asked || (sentPages < asked && now >= untilNs);
  if (sentEnough && zeroPages <= sentPages) return;
  throw new InvariantViolated('world: all pages asked for are sent', { asked, sentPages, zeroPages });
}
