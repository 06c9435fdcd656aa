import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { printable } from '../platform/failure.ts';
import { tell } from '../platform/tell.ts';

/** Back to the beginning of a terminal's line, and nothing left on it. */
export const CLEAR_LINE = '\r\x1b[K';

/** Where progress is shown. */
export interface ProgressDisplay {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly nowNs: () => Nanos;
  readonly write: (text: string) => void;
}

/** On a terminal a line is written over the last one. Elsewhere lines add up, so there are few. */
const EVERY_NS = { terminal: NANOS_PER_SECOND / 10, file: 10 * NANOS_PER_SECOND };
/** Elsewhere there is also a line whenever so much more of all is done. */
const EVERY_SHARE = 0.05;

/** How far a command is: one line on a terminal; elsewhere a line every 10 s, or where that is sooner every 5 %. */
export class ProgressLine {
  readonly #display: ProgressDisplay | undefined;
  #total = 0;
  #done = 0;
  #doneBefore = 0;
  #beganNs: Nanos = 0;
  #doneShown = 0;
  /** undefined: nothing is shown. */
  #shownAtNs: Nanos | undefined;
  #note = '';

  /** @param quiet nothing is shown */
  constructor(quiet = false, display: ProgressDisplay = standardError()) {
    this.#display = quiet ? undefined : display;
  }

  /** @param total runs, as far as is known @param done of these, what was done before */
  begin(total: number, done = 0): void {
    this.#total = total;
    this.#done = done;
    this.#doneBefore = done;
    this.#doneShown = done;
    this.#beganNs = this.#display?.nowNs() ?? 0;
  }

  /** It has turned out that there are more or fewer runs. */
  set total(runs: number) {
    this.#total = runs;
  }

  advance(runs = 1): void {
    this.#done += runs;
    this.#show();
  }

  /** @param text what goes on just now */
  note(text: string): void {
    this.#note = printable(text);
    this.#show();
  }

  /** Nothing of it is left on a terminal. May be called again. */
  end(): void {
    if (this.#display?.isTerminal && this.#shownAtNs !== undefined) this.#display.write(CLEAR_LINE);
    this.#shownAtNs = undefined;
  }

  #show(): void {
    if (!this.#display) return;
    const { isTerminal, columns, nowNs, write } = this.#display;
    const now = nowNs();
    const sinceNs = now - (this.#shownAtNs ?? Number.NEGATIVE_INFINITY);
    const more = this.#done - this.#doneShown;
    const isDue = sinceNs >= (isTerminal ? EVERY_NS.terminal : EVERY_NS.file);
    if (!isDue && (isTerminal || more === 0 || more < EVERY_SHARE * this.#total)) return;
    this.#shownAtNs = now;
    this.#doneShown = this.#done;
    const line = this.#line(now - this.#beganNs);
    // In the last column a terminal would begin another line.
    write(isTerminal ? `${CLEAR_LINE}${`${this.#bar()} ${line}`.slice(0, columns - 1)}` : `${line}\n`);
  }

  #line(elapsedNs: Nanos): string {
    const now = this.#done - this.#doneBefore;
    const leftNs = (elapsedNs / now) * (this.#total - this.#done);
    const parts = [
      `${this.#done} of ${this.#total} runs`,
      clockTime(elapsedNs),
      ...(now > 0 && leftNs > 0 ? [`${clockTime(leftNs)} left`] : []),
    ];
    return [parts.join(', '), ...(this.#note === '' ? [] : [this.#note])].join(' · ');
  }

  #bar(): string {
    const full = Math.round(BAR_COLUMNS * Math.min(1, this.#done / this.#total));
    return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full);
  }
}

const BAR_COLUMNS = 20;

function standardError(): ProgressDisplay {
  const { isTTY, columns } = process.stderr;
  return { isTerminal: isTTY === true, columns: columns || 80, nowNs: clockNs, write: (text) => tell(text) };
}

/** `0:07`, `12:00`, `1:02:03` */
function clockTime(ns: Nanos): string {
  const seconds = Math.round(ns / NANOS_PER_SECOND);
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const rest = twoDigits(seconds % 60);
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${twoDigits(minutes % 60)}:${rest}`;
}
