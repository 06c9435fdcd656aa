import type { SchedEntity } from '../core/cpu/cpu-plan.ts';
import { Delivery } from '../core/cpu/delivery.ts';
import type { ServerRecord } from '../core/cpu/server-record.ts';
import type { Slice } from '../core/cpu/slice.ts';
import type { Nanos } from '../core/units.ts';
import { Timeline } from './timeline.ts';

/** Of one entity, so many slices are kept at least: the latest. */
const SLICES = 1 << 16;

/** What became of one entity, from its timeline. */
export class SliceAccount {
  readonly timeline = new Timeline();
  readonly #entity: SchedEntity;
  #delivery: Delivery | undefined;
  /** Nothing before counts. */
  #sinceNs: Nanos = 0;
  #isAwake = false;
  #slices: Slice[] = [];

  constructor(entity: SchedEntity) {
    this.#entity = entity;
    this.#begin();
  }

  /** Takes in what is new on the timeline. */
  read(): void {
    for (const event of this.timeline.read()) {
      if (event.kind === 'ran') {
        this.#ran(event.startNs, event.endNs, event.cpuNs);
        this.#keep(event.startNs, event.endNs);
      } else if (event.kind === 'wakes') {
        this.#isAwake = true;
        this.#delivery?.wakes(Math.max(this.#sinceNs, event.atNs));
      } else {
        this.#isAwake = false;
        this.#delivery?.sleeps(event.atNs);
      }
    }
    if (this.#slices.length > 2 * SLICES) this.#slices = this.#slices.slice(-SLICES);
  }

  /** From now on only what is promised and supplied from now on counts. */
  restart(now: Nanos): void {
    this.read();
    this.#sinceNs = now;
    this.#begin();
    if (this.#isAwake) this.#delivery?.wakes(now);
  }

  /** The machine did not run. */
  noise(startNs: Nanos, endNs: Nanos): void {
    this.#delivery?.noise(startNs, endNs);
  }

  /** Those that ended after an instant, in time. */
  slices(afterNs: Nanos): readonly Slice[] {
    return this.#slices.slice(1 + this.#slices.findLastIndex(({ endNs }) => endNs <= afterNs));
  }

  record(untilNs: Nanos): ServerRecord | undefined {
    return this.#delivery?.record(this.#entity.name, untilNs);
  }

  #begin(): void {
    const { reservation } = this.#entity;
    this.#delivery = reservation ? new Delivery(reservation) : undefined;
  }

  /** Of a stretch that began before this account did, the part since then. */
  #ran(startNs: Nanos, endNs: Nanos, cpuNs: Nanos): void {
    const fromNs = Math.max(startNs, this.#sinceNs);
    if (fromNs >= endNs) return;
    const share = (endNs - fromNs) / (endNs - startNs);
    this.#delivery?.ran(fromNs, endNs, Math.round(cpuNs * share));
  }

  /** Pieces of one stretch become one slice. */
  #keep(startNs: Nanos, endNs: Nanos): void {
    const { name, processor } = this.#entity;
    const last = this.#slices.at(-1);
    const isPiece = last?.endNs === startNs;
    if (isPiece) this.#slices.pop();
    this.#slices.push({ name, startNs: isPiece ? last.startNs : startNs, endNs, processor });
  }
}
