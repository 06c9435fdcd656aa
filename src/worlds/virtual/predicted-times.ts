import { type Cost, drawn, type PredictedMachine } from '../../core/machine-costs.ts';
import { Random } from '../../core/random.ts';
import type { Nanos } from '../../core/units.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';

/** The stream of random numbers that costs are drawn from. */
const COSTS_STREAM = 10;

const MEBIBYTE = 2 ** 20;

/** What a migration waits for: the latency of its link, and the costs of a machine, drawn from its seed; without a profile, none. */
export class PredictedTimes {
  readonly linkLatencyNs: Nanos;
  readonly dirtyScanNs: Nanos;
  readonly pauseNs: Nanos;
  readonly stateNs: Nanos;
  readonly verifyNs: Nanos;
  readonly commitNs: Nanos;
  readonly resumeNs: Nanos;
  /** What the sender uses for a page, if the scenario does not say more; the mean of many, so nothing is drawn. */
  readonly sendNsPerPage: Nanos;
  readonly #costs: PredictedMachine['costs'] | undefined;
  readonly #random: Random;

  constructor({ guest, plan, machine, linkLatencyNs = 0 }: MigrationSpec) {
    this.linkLatencyNs = linkLatencyNs;
    const costs = machine?.costs;
    this.#costs = costs;
    this.#random = Random.seeded(guest.seed, COSTS_STREAM);
    const mebibytes = (guest.pages * guest.pageSizeBytes) / MEBIBYTE;
    this.dirtyScanNs = this.#draw(costs?.dirtyScanNsPerMebibyte, mebibytes);
    this.pauseNs = this.#draw(costs?.pauseNs);
    this.stateNs = this.#draw(costs?.stateNs);
    this.verifyNs = this.#draw(costs?.verifyNsPerMebibyte, mebibytes);
    this.commitNs = this.#draw(costs?.commitNs);
    this.resumeNs = this.#draw(costs?.resumeNs);
    this.sendNsPerPage = ((costs?.sendNsPerMebibyte.median ?? 0) * plan.pageBytes) / MEBIBYTE;
  }

  /** CPU time of the sender for its next message. */
  messageNs(): Nanos {
    return this.#draw(this.#costs?.senderMessageNs);
  }

  /** Until a thread that was woken has the processor that nobody else has. */
  threadSwitchNs(): Nanos {
    return this.#draw(this.#costs?.threadSwitchNs);
  }

  /** In whole ns. @param mebibytes of which the cost is the cost of one */
  #draw(cost: Cost | undefined, mebibytes = 1): Nanos {
    return cost ? Math.round(mebibytes * drawn(cost, this.#random)) : 0;
  }
}
