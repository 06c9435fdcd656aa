import {
  arrived,
  downtimeParts,
  type LinkRecord,
  type MigrationResult,
  type Outcome,
  type Owner,
  type RoundRecord,
  type Verification,
} from '../../core/migration/migration-result.ts';
import { formatDuration, formatSize, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { QmpEvent } from '../../qemu/qmp.ts';

/** QEMU's answer to `query-migrate`, as far as it is read here (qapi/migration.json: MigrationInfo). */
export interface QueryMigrate {
  readonly status?: string;
  readonly downtime?: number;
  readonly ram?: RamFigures;
  readonly 'xbzrle-cache'?: { readonly pages: number; readonly bytes: number };
  readonly 'cpu-throttle-percentage'?: number;
}
interface RamFigures {
  readonly normal: number;
  readonly duplicate: number;
  readonly transferred: number;
  readonly remaining: number;
  readonly 'page-size': number;
  readonly 'downtime-bytes': number;
  readonly 'multifd-bytes': number;
}

/** What QEMU has sent so far. */
interface Figures {
  readonly ram: RamFigures;
  /** As differences, which QEMU counts apart. */
  readonly encodedPages: number;
}
/** QEMU's figures at the beginning of a pass. */
interface Pass extends Figures {
  readonly atNs: Nanos;
}

/** QEMU stamps its events by the host's calendar clock, the same at both ends; we hear of them by the monotonic one. */
interface Moment {
  readonly stampedNs: Nanos;
  readonly heardAtNs: Nanos;
}

type Measured = 'outage' | 'verified' | 'servers' | 'link';

/** A migration that was only watched, in the terms of the record. */
export class NativeMigrationLog {
  readonly #beganAtNs: Nanos;
  readonly #passes: Pass[] = [];
  #stop: Moment | undefined;
  #resume: Moment | undefined;

  constructor(atNs: Nanos) {
    this.#beganAtNs = atNs;
  }

  /** QEMU also begins a pass when the guest is paused already: that is the stop's. */
  passBegins(atNs: Nanos, answer: QueryMigrate): void {
    if (!answer.ram || (this.#stop && atNs >= this.#stop.heardAtNs)) return;
    this.#passes.push({ atNs, ...figuresOf(answer) });
  }

  stopped(event: QmpEvent, heardAtNs: Nanos): void {
    this.#stop ??= { stampedNs: stampOf(event), heardAtNs };
  }

  resumed(event: QmpEvent, heardAtNs: Nanos): void {
    this.#resume ??= { stampedNs: stampOf(event), heardAtNs };
  }

  get hasResumed(): boolean {
    return this.#resume !== undefined;
  }

  /** @param live what passed before the stop */
  completed(last: QueryMigrate, live: LinkRecord, verified: Verification): Omit<MigrationResult, Measured> {
    const downtimeNs = this.#resume!.stampedNs - this.#stop!.stampedNs;
    const ram = last.ram!;
    const stopBytes = ram['downtime-bytes'];
    const stopPages = Math.round(stopBytes / (ram['page-size'] + PAGE_HEADER_BYTES));
    const totalNs = this.#resume!.heardAtNs - this.#beganAtNs;
    const window = live.windows[1]!;
    return {
      ...arrived("QEMU's own decision", verified),
      rounds: this.#rounds(figuresOf(last), stopPages, totalNs - downtimeNs),
      stop: { pages: stopPages, bytes: stopBytes, durationNs: downtimeNs },
      downtimeNs,
      downtimeParts: downtimeParts({ memoryNs: downtimeNs }),
      totalNs,
      notes: [
        `QEMU reports a downtime of ${last.downtime} ms; from STOP to RESUME at the destination: ${formatDuration(downtimeNs)}, counted as memory part because QEMU reports no parts`,
        `live rounds: at most ${formatSize(window.mostBytes)} in ${formatDuration(window.windowNs)}${window.allowedBytes === null ? '' : `; the reservation allows ${formatSize(window.allowedBytes)}`}`,
      ],
    };
  }

  abandoned(outcome: Outcome, reason: string, atNs: Nanos, owner: Owner): Omit<MigrationResult, Measured> {
    const totalNs = atNs - this.#beganAtNs;
    const downtimeNs = this.#stop ? atNs - this.#stop.heardAtNs : 0;
    const last = this.#passes.at(-1);
    return {
      outcome,
      reason,
      owner,
      rounds: last ? this.#rounds(last, 0, totalNs) : [],
      stop: { pages: 0, bytes: 0, durationNs: 0 },
      downtimeNs,
      downtimeParts: downtimeParts({ memoryNs: downtimeNs }),
      totalNs,
      notes:
        owner === 'nobody' ? ['the downtime is not known: it is counted up to when this was noticed'] : [],
    };
  }

  /**
   * A round from each pass to the next; the last one up to the stop. QEMU may answer late, when the stop's pages are
   * counted already: what the rounds have sent ends where the stop begins.
   */
  #rounds(last: Figures, stopPages: number, liveNs: Nanos): readonly RoundRecord[] {
    const pagesOf = ({ ram, encodedPages }: Figures) => ram.normal + ram.duplicate + encodedPages;
    const sentBy = (figures: Figures) => ({
      pages: Math.min(pagesOf(figures), pagesOf(last) - stopPages),
      bytes: Math.min(figures.ram.transferred, last.ram.transferred - last.ram['downtime-bytes']),
      zeroPages: figures.ram.duplicate,
    });
    return this.#passes.map((pass, index) => {
      const next = this.#passes[index + 1];
      const [before, after] = [index === 0 ? nothingSent : sentBy(pass), sentBy(next ?? last)];
      return {
        round: index + 1,
        dirtyPages: Math.round(pass.ram.remaining / pass.ram['page-size']),
        sentPages: after.pages - before.pages,
        deferredPages: 0,
        skippedPages: 0,
        zeroPages: after.zeroPages - before.zeroPages,
        bytes: after.bytes - before.bytes,
        durationNs: (next?.atNs ?? this.#beganAtNs + liveNs) - pass.atNs,
      };
    });
  }
}

function figuresOf({ ram, 'xbzrle-cache': encoded }: QueryMigrate): Figures {
  return { ram: ram!, encodedPages: encoded?.pages ?? 0 };
}

const nothingSent = { pages: 0, bytes: 0, zeroPages: 0 };
/** By it pages are told from bytes: right for whole pages, an estimate with xbzrle or multifd. What QEMU writes before a page (migration/ram.c: save_page_header; the block's name only where it changes). */
const PAGE_HEADER_BYTES = 8;

function stampOf({ timestamp: { seconds, microseconds } }: QmpEvent): Nanos {
  return seconds * NANOS_PER_SECOND + microseconds * 1_000;
}
