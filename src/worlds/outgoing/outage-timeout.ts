import { notConvergedInOutage, type Plan } from '../../core/migration/plan.ts';
import { clockNs } from '../../platform/clock.ts';
import type { Interruption } from '../../transport/interruption.ts';
import type { SenderThread } from '../../transport/sender-thread.ts';

const LOOK_MS = 100;

/**
 * Ends a live migration whose time-out has passed during an outage of its link: its stop rule is asked between pages, and
 * none leaves then.
 */
export class OutageTimeout {
  #timer: NodeJS.Timeout | undefined;

  /** The migration starts now. */
  arm({ plan, sender }: { plan: Plan; sender: SenderThread }, interruption: Interruption): void {
    const { timeoutNs } = plan;
    if (timeoutNs === null) return;
    const expiresAtNs = clockNs() + timeoutNs;
    const look = () => {
      if (clockNs() < expiresAtNs || !sender.isOut) return;
      interruption.raise('not-converged', notConvergedInOutage(plan));
    };
    this.#timer = setInterval(look, LOOK_MS).unref();
  }

  disarm(): void {
    clearInterval(this.#timer);
  }
}
