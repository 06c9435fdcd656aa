import type { Plan } from '../../core/migration/plan.ts';
import type { Step } from '../../core/migration/steps.ts';
import type { Nanos } from '../../core/units.ts';
import { LiveRound } from './live-round.ts';
import { between, type PageFlow, type PageTotals } from './page-flow.ts';
import type { SourceMachine } from './source-machine.ts';
import type { StreamRelay } from './stream-relay.ts';

export interface LiveSendingOptions {
  readonly machine: SourceMachine;
  readonly relay: StreamRelay;
  readonly flow: PageFlow;
  readonly plan: Plan;
  readonly mode: 'pull' | 'pass';
}

type SendStep = Extract<Step, { kind: 'send' }>;

/** The live rounds of one migration, a step of which may end in the middle of a round, and the next one go on with it. */
export class LiveSending {
  readonly #options: LiveSendingOptions;
  #round: LiveRound | undefined;
  #dirtyPages = 0;
  #heldBackPages = 0;
  /** QEMU has gone on to the rest without us, as it does with a machine that its user has paused: what had been sent then. */
  wentOn: PageTotals | undefined;

  constructor(options: LiveSendingOptions) {
    this.#options = options;
  }

  /** @param endNs by the host's clock: what has not left by then stays */
  async send({ pages, rateBytesPerSecond, isLast = false }: SendStep, endNs: Nanos) {
    const { flow, mode } = this.#options;
    const before = flow.totals;
    if (this.wentOn) return this.#sent(before, pages.length, pages.length);
    if (!this.#round || this.#round.end) this.#begin(pages, rateBytesPerSecond, isLast);
    const round = this.#round!;
    const isOver = await round.over(endNs);
    if (isOver) this.#dirtyPages = this.#ofGuest(round.end?.dirtyPages ?? 0);
    // What is left of the round's order, and is asked for again, is its end.
    const turnsBefore = flow.asked!.askedPages - pages.length;
    const turnsSoFar = mode === 'pull' ? Math.max(0, flow.asked!.turns - turnsBefore) : 0;
    const turns = isOver ? pages.length : turnsSoFar;
    return this.#sent(before, pages.length, turns);
  }

  /** Those that QEMU knows of: what was written since it last asked its log is not among them. */
  async knownDirtyPages(): Promise<number> {
    if (this.wentOn) return 0;
    if (this.#round?.end) return this.#dirtyPages;
    const { dirtyPages } = await this.#options.machine.counters();
    if (!this.#round) this.#dirtyPages = dirtyPages;
    return this.#ofGuest(dirtyPages);
  }

  /** The guest is stopped: no round goes on. @returns whether QEMU stops at once when it may */
  leave(): boolean {
    this.#round?.leave();
    const end = this.#round?.end;
    return end !== undefined && (end.dirtyPages === 0 || this.#heldBackPages > 0);
  }

  #begin(pages: Uint32Array, rateBytesPerSecond: SendStep['rateBytesPerSecond'], isLast: boolean): void {
    const { machine, relay, flow, plan, mode } = this.#options;
    relay.setRate(rateBytesPerSecond);
    if (mode === 'pass') flow.asked!.ask(new Uint32Array(0));
    this.#heldBackPages = mode === 'pull' ? plan.pages - pages.length : 0;
    this.#round = new LiveRound({
      ...{ machine, relay, flow, rateBytesPerSecond, isLast },
      isFirst: this.#round === undefined,
      order: mode === 'pull' ? pages : null,
      dirtyPages: this.#dirtyPages,
      hasGoneOn: () => this.wentOn !== undefined,
      heldBackPages: this.#heldBackPages,
    });
  }

  /** @param turns of so many pages that were asked for, so many have had their turn; pages that came beyond that are not of them */
  #sent(before: PageTotals, asked: number, turns: number) {
    const { sentPages: came, zeroPages, bytes } = between(before, this.wentOn ?? this.#options.flow.totals);
    const had = turns === asked ? asked : Math.min(asked - 1, Math.max(came, turns));
    const sentPages = Math.max(0, Math.min(came, had));
    const cleanPages = had - sentPages;
    return { sentPages, cleanPages, zeroPages: Math.min(sentPages, Math.max(0, zeroPages)), bytes };
  }

  #ofGuest(pages: number): number {
    return Math.min(this.#options.plan.pages, pages);
  }
}
