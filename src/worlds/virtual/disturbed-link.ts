import { passedNs as passedBottleneckNs } from '../../core/link/bottleneck.ts';
import type { Bytes, Nanos } from '../../core/units.ts';
import type { Disturbance } from '../../workload/antagonists/disturbance.ts';
import { VirtualLink } from './virtual-link.ts';

/**
 * A link with something in the way. A page leaves when the bucket lets it and the bottleneck has passed the one before
 * it; nothing is buffered in between, where real sockets hold some hundred KiB.
 */
export class DisturbedLink extends VirtualLink {
  readonly #disturbance: Disturbance;
  #freeNs: Nanos = 0;

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
    const { latenessMeanNs, random } = this.#disturbance;
    const at = super.readyNs(Math.max(now, this.#freeNs), bytes);
    return at > now && latenessMeanNs > 0 ? Math.ceil(at + random.exponential(latenessMeanNs)) : at;
  }

  override departs(now: Nanos, bytes: Bytes): void {
    super.departs(now, bytes);
    const { bottleneck } = this.#disturbance;
    if (bottleneck) this.#freeNs = passedBottleneckNs(bottleneck, now, bytes);
  }

  override passedNs(now: Nanos): Nanos {
    return Math.max(now, this.#freeNs);
  }
}
