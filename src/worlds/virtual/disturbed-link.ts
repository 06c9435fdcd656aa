import { passedNs as passedBottleneckNs } from '../../core/link/bottleneck.ts';
import type { Bytes, Nanos } from '../../core/units.ts';
import { type Disturbance, disturbanceOf } from '../../workload/antagonists/disturbance.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { VirtualLink } from './virtual-link.ts';

/**
 * A link with something in the way. A page leaves when the bucket lets it and the bottleneck has passed the one before
 * it; nothing is buffered in between, where real sockets hold some hundred KiB. Meanwhile the sender may prepare the next page.
 */
export class DisturbedLink extends VirtualLink {
  readonly #disturbance: Disturbance;
  #freeNs: Nanos = 0;
  #last = { bytes: 0, departedNs: 0 };

  constructor(depthBytes: Bytes, windows: boolean, latencyNs: Nanos, disturbance: Disturbance) {
    super(depthBytes, windows, latencyNs);
    this.#disturbance = disturbance;
  }

  override send(
    now: Nanos,
    bytes: Bytes,
    count: number,
    endNs = Number.POSITIVE_INFINITY,
  ): { instants: Float64Array; untilNs: Nanos } {
    const instants = new Float64Array(count);
    let at = now;
    for (let i = 0; i < count; i++) {
      at = this.readyNs(at, bytes);
      if (at >= endNs) return { instants: instants.subarray(0, i), untilNs: Math.max(now, endNs) };
      if (this.isClosed(at)) return { instants: instants.subarray(0, i), untilNs: at };
      this.departs(at, bytes);
      instants[i] = at;
    }
    return { instants, untilNs: at };
  }

  override readyNs(now: Nanos, bytes: Bytes): Nanos {
    return this.#awakeNs(Math.max(now, this.#freeNs), bytes);
  }

  override readyBy(now: Nanos, bytes: Bytes, endNs: Nanos): Nanos {
    const at = Math.min(endNs, this.#awakeNs(now, bytes));
    return at === Number.POSITIVE_INFINITY ? now : at;
  }

  /** When the sender has noticed that the bucket lets it send. */
  #awakeNs(now: Nanos, bytes: Bytes): Nanos {
    const { latenessMeanNs, random } = this.#disturbance;
    const at = super.readyNs(now, bytes);
    return at > now && latenessMeanNs > 0 ? Math.ceil(at + random.exponential(latenessMeanNs)) : at;
  }

  override departs(now: Nanos, bytes: Bytes): void {
    super.departs(now, bytes, this.#freeNs);
    const { bottleneck } = this.#disturbance;
    if (!bottleneck) return;
    this.#freeNs = passedBottleneckNs(bottleneck, now, bytes);
    this.#last = { bytes, departedNs: now };
  }

  /** The bottleneck passes the last page evenly. */
  override underWayBytes(now: Nanos): Bytes {
    const { bytes, departedNs } = this.#last;
    return now < this.#freeNs ? (bytes * (this.#freeNs - now)) / (this.#freeNs - departedNs) : 0;
  }

  override passedNs(now: Nanos): Nanos {
    return Math.max(now, this.#freeNs);
  }
}

/** The link of a migration. @param windows whether its record shall say what left in windows */
export function virtualLinkOf(spec: MigrationSpec, windows: boolean): VirtualLink {
  const { plan, linkLatencyNs = 0 } = spec;
  const disturbance = disturbanceOf(spec);
  return disturbance
    ? new DisturbedLink(plan.depthBytes, windows, linkLatencyNs, disturbance)
    : new VirtualLink(plan.depthBytes, windows, linkLatencyNs);
}
