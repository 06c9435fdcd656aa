import { carryOut, NotReached } from './case.ts';
import { type Fault, faults, type Outcome } from './faults.ts';
import { Lanes } from './lanes.ts';
import { type Phase, phases } from './phases.ts';
import { faultTable, type Row } from './table.ts';

const MOST_TRIES = 3;

/**
 * Every fault in the phases of these in which it is one: in every third of them, and in every phase every third fault, as
 * long as FAULTS=all does not ask for the others too.
 */
export class FaultCases {
  readonly cases: readonly { readonly fault: Fault; readonly phase: Phase }[];
  readonly #lanes = new Lanes(4);
  readonly #rows: Row[] = [];

  constructor(isTested: (phase: Phase) => boolean) {
    const all = faults.flatMap((fault) =>
      phases
        .filter((phase) => isTested(phase) && fault.allowed(phase).length > 0)
        .map((phase) => ({ fault, phase })),
    );
    const isChosen = (fault: Fault, phase: Phase) =>
      (faults.indexOf(fault) + phases.indexOf(phase)) % 3 === 0;
    this.cases = all.filter(({ fault, phase }) => process.env.FAULTS === 'all' || isChosen(fault, phase));
  }

  /** What was not reached is tried again; what must not be is never looked at twice. */
  async carryOut(fault: Fault, phase: Phase): Promise<Outcome> {
    for (let tries = MOST_TRIES; ; tries--) {
      try {
        const { outcome, reason } = await this.#lanes.use((lane) => carryOut(lane, fault, phase));
        this.#rows.push({ fault: fault.name, phase, outcome, reason });
        return outcome;
      } catch (cause) {
        if (!(cause instanceof NotReached) || tries === 1) throw cause;
      }
    }
  }

  /** @returns the table of what came of them */
  async end(): Promise<string> {
    await this.#lanes.end();
    return faultTable(this.#rows);
  }
}
