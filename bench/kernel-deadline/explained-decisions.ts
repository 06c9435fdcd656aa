import { charge, idleServer, replenish, type Server, sleep, wake } from '../../src/core/cpu/cbs.ts';
import type { Reservation } from '../../src/core/cpu/reservation.ts';
import type { TracedEvent } from './kernel-trace.ts';

/** What an interrupt, a switch and the reading of a clock take, in µs. */
const SWITCH_US = 100;
/** The kernel does not count the time of interrupts, and of a virtual machine's host, which these events do not tell apart. */
const ACCOUNT_US = 100;

export interface Explained {
  /** Decisions of the kernel that follow from the rules of core/cpu/cbs.ts. */
  readonly decisions: number;
  /** By how much budgets were exceeded before the kernel noticed, in µs: it looks at a tick, or when a thread reads its clock. */
  readonly overrunsUs: readonly number[];
  /** How long a thread that was to run waited while nobody of its class did: the machine's own delays, in µs. */
  readonly waitsUs: readonly number[];
  /** Those that do not. */
  readonly unexplained: readonly string[];
}

/**
 * Goes through what the kernel did with threads of its deadline class on one processor, and carries each server's budget and deadline
 * along by our own rules, charged with what the kernel let it run. Whenever a thread is taken off its processor its budget must
 * be used up, or another one's deadline be earlier; whenever it gets on, it must have woken, or its deadline have come.
 * @param reservations of these threads, in µs
 */
export function explainedDecisions(
  events: readonly TracedEvent[],
  reservations: ReadonlyMap<number, Reservation>,
): Explained {
  const servers = new Map<number, Server>();
  for (const [thread, reservation] of reservations) servers.set(thread, idleServer(reservation));
  const readyAtUs = new Map<number, number>();
  const unexplained: string[] = [];
  const overrunsUs: number[] = [];
  const waitsUs: number[] = [];
  /** What was left of the budgets of threads that were taken off so near to its end that either may be why. */
  const nearlySpentUs = new Map<number, number>();
  /** Threads that woke when their budget was so nearly their share of what was left of their period that it may have been renewed. */
  const mayBeRenewed = new Map<number, { readonly atUs: number; usedUs: number }>();
  let decisions = 0;
  let running: { thread: number; sinceUs: number } | undefined;
  let freeAtUs = 0;
  const begunUs = events[0]!.atUs;
  const wrong = (atUs: number, thread: number, what: string) =>
    unexplained.push(`${((atUs - begunUs) / 1000).toFixed(3)} ms: thread ${thread} ${what}`);

  for (const [index, { atUs, kind, thread }] of events.entries()) {
    const server = servers.get(thread)!;
    if (kind === 'waking') {
      if (server.phase !== 'idle') continue;
      const shareUs = ((server.deadlineNs - atUs) * server.budgetNs) / server.periodNs;
      mayBeRenewed.delete(thread);
      if (server.deadlineNs >= atUs && Math.abs(server.remainingNs - shareUs) <= ACCOUNT_US) {
        mayBeRenewed.set(thread, { atUs, usedUs: 0 });
      }
      wake('linux', server, atUs);
      readyAtUs.set(thread, atUs);
    } else if (kind === 'in') {
      const leftUs = nearlySpentUs.get(thread);
      nearlySpentUs.delete(thread);
      if (leftUs !== undefined && server.phase === 'throttled' && server.deadlineNs > atUs + SWITCH_US) {
        Object.assign(server, { phase: 'ready', remainingNs: leftUs });
      }
      const renewed = mayBeRenewed.get(thread);
      if (renewed && server.phase === 'throttled' && server.deadlineNs > atUs + SWITCH_US) {
        const deadlineNs = renewed.atUs + server.periodNs;
        Object.assign(server, { phase: 'ready', remainingNs: server.budgetNs - renewed.usedUs, deadlineNs });
        mayBeRenewed.delete(thread);
      }
      if (server.phase === 'throttled' && server.deadlineNs <= atUs + SWITCH_US) {
        readyAtUs.set(thread, server.deadlineNs);
        replenish('linux', server, server.deadlineNs);
      }
      if (server.phase !== 'ready') {
        wrong(atUs, thread, `runs, although it is ${server.phase}`);
        server.phase = 'ready';
        server.remainingNs = Math.max(server.remainingNs, ACCOUNT_US);
      }
      waitsUs.push(Math.max(0, atUs - Math.max(readyAtUs.get(thread)!, freeAtUs)));
      running = { thread, sinceUs: atUs };
      decisions += 1;
    } else if (running?.thread === thread) {
      const ranUs = atUs - running.sinceUs;
      running = undefined;
      const renewed = mayBeRenewed.get(thread);
      if (renewed) renewed.usedUs += ranUs;
      freeAtUs = atUs;
      decisions += 1;
      const isSpent = server.remainingNs - ranUs <= ACCOUNT_US;
      if (kind === 'sleeps') {
        sleep(server);
        server.remainingNs -= ranUs;
      } else if (isSpent) {
        overrunsUs.push(ranUs - server.remainingNs);
        if (ranUs < server.remainingNs) nearlySpentUs.set(thread, server.remainingNs - ranUs);
        charge('linux', server, Math.max(ranUs, server.remainingNs), atUs);
        readyAtUs.set(thread, atUs);
      } else {
        charge('linux', server, ranUs, atUs);
        readyAtUs.set(thread, atUs);
        const next = events[index + 1];
        const other = next?.kind === 'in' && next.atUs === atUs ? servers.get(next.thread) : undefined;
        // The kernel's own threads, which stop a processor for a moment, come before all of this class.
        const isBack = next?.thread === thread && next.atUs - atUs <= SWITCH_US;
        if (!isBack && !(other && dueOf(other, atUs) <= server.deadlineNs + SWITCH_US)) {
          wrong(
            atUs,
            thread,
            `was interrupted with ${server.remainingNs} µs left, and by no earlier deadline`,
          );
        }
      }
    }
  }
  return { decisions, overrunsUs, waitsUs, unexplained };
}

/** The deadline it has, or has at this moment. */
function dueOf({ phase, deadlineNs, periodNs }: Server, atUs: number): number {
  return phase === 'throttled' && deadlineNs <= atUs + SWITCH_US ? deadlineNs + periodNs : deadlineNs;
}
