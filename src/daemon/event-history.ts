import { randomUUID } from 'node:crypto';
import type { HostEvent } from './events.ts';

/** So much is kept for those whose connection was interrupted. */
const MOST_BYTES = 1024 * 1024;

interface Kept {
  readonly number: number;
  /** The migration or experiment that it is about. */
  readonly about: string | undefined;
  readonly text: Buffer;
}

/**
 * The latest events, each under an id, so that a watcher who comes back hears what it has missed (WHATWG HTML, section 9.2:
 * Last-Event-ID). Pulses have none: they are about a moment that is over.
 */
export class EventHistory {
  /** Another one after each start: ids of an earlier thread mean nothing here. */
  readonly #epoch = randomUUID().slice(0, 8);
  readonly #most: number;
  readonly #kept: Kept[] = [];
  #bytes = 0;
  #latest = 0;

  constructor(most = MOST_BYTES) {
    this.#most = most;
  }

  /** Of the latest event. */
  get latestId(): string {
    return this.#id(this.#latest);
  }

  /** @returns the event as it is sent */
  add({ kind, ...rest }: HostEvent): Kept {
    if (kind === 'pulse') return { number: this.#latest, about: undefined, text: asText(kind, rest) };
    this.#latest += 1;
    const text = asText(kind, rest, this.latestId);
    const kept = { number: this.#latest, about: 'id' in rest ? rest.id : undefined, text };
    this.#kept.push(kept);
    this.#bytes += text.length;
    while (this.#bytes > this.#most) this.#bytes -= this.#kept.shift()!.text.length;
    return kept;
  }

  /** What has happened after an event. undefined: that one is not known, or not all that came after it is. */
  since(id: string): readonly Kept[] | undefined {
    const number = Number(/^([0-9a-f]{8})-(\d{1,15})$/.exec(id)?.[2]);
    const first = this.#kept[0]?.number ?? this.#latest + 1;
    if (id !== this.#id(number) || number > this.#latest || number + 1 < first) return undefined;
    return this.#kept.slice(number + 1 - first);
  }

  #id(number: number): string {
    return `${this.#epoch}-${number}`;
  }
}

export function asText(kind: string, data: object, id?: string): Buffer {
  const line = id === undefined ? '' : `id: ${id}\n`;
  return Buffer.from(`${line}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
}
