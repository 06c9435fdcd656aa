import { formatDuration, formatRate, formatSize, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { Quantiles } from '../model/predicted-end.ts';
import type { ObservedPrediction } from '../run/prediction/predict-observation.ts';
import type { Progress } from '../run/watch/followed-migration.ts';
import type { WatchEvent, WatchedEnd } from '../run/watch/watch-event.ts';

/** Where lines add up, so long nothing is said of a migration of which nothing changes. */
const SILENT_NS: Nanos = 10 * NANOS_PER_SECOND;

/** What was last said of a migration. */
interface Said {
  readonly atNs: Nanos;
  readonly what: string;
}

/** What is printed of the events of a watch. */
export class WatchLines {
  readonly #isTerminal: boolean;
  readonly #isAlone: boolean;
  readonly #said = new Map<string, Said>();

  /** @param isAlone there is one monitor only, so that its name would say nothing */
  constructor({ isTerminal, isAlone }: { readonly isTerminal: boolean; readonly isAlone: boolean }) {
    this.#isTerminal = isTerminal;
    this.#isAlone = isAlone;
  }

  /** @returns undefined: nothing new */
  lineOf(event: WatchEvent, nowNs: Nanos): string | undefined {
    if (event.event === 'progress') {
      if (!this.#isTerminal && !this.#isNew(event.monitor, event, nowNs)) return undefined;
    } else this.#said.delete(event.monitor);
    const time = event.time.slice('2026-01-01T'.length, -'.000Z'.length);
    return [time, ...(this.#isAlone ? [] : [event.monitor]), textOf(event)].join('  ');
  }

  #isNew(monitor: string, { status, throttlePercent, predicted }: Progress, nowNs: Nanos): boolean {
    const isPredicted = predicted !== null && predicted.endsByItself !== null;
    const what = [status, throttlePercent, isPredicted].join();
    const said = this.#said.get(monitor);
    if (said?.what === what && nowNs - said.atNs < SILENT_NS) return false;
    this.#said.set(monitor, { atNs: nowNs, what });
    return true;
  }
}

function textOf(event: WatchEvent): string {
  switch (event.event) {
    case 'connected':
      return event.status === 'none' ? 'connected' : `connected; its last migration: ${event.status}`;
    case 'lost':
      return `${event.reason}; trying again every second`;
    case 'began':
      return 'a migration goes on';
    case 'progress':
      return progressText(event);
    case 'ended':
      return endText(event);
  }
}

function progressText(progress: Progress): string {
  const {
    atNs,
    status,
    leftBytes,
    rateBytesPerSecond: rate,
    dirtyBytesPerSecond,
    throttlePercent,
  } = progress;
  const moving = [
    ...(leftBytes === null ? [] : [`${formatSize(leftBytes)} left`]),
    ...(rate === null ? [] : [`sends ${formatRate(rate)}`]),
    ...(dirtyBytesPerSecond ? [`dirties ${formatRate(dirtyBytesPerSecond)}`] : []),
    ...(throttlePercent ? [`throttled by ${throttlePercent} %`] : []),
  ];
  return [`${status} ${formatDuration(atNs)}`, moving.join(', '), ...predictionTexts(progress)].join('  ');
}

function predictionTexts({ atNs, predicted }: Progress): readonly string[] {
  if (predicted === null) return [];
  const { endsByItself, downtimeNs } = predicted;
  if (endsByItself === null) return ['nothing to predict from yet'];
  return [endOf(predicted, atNs), ...(downtimeNs ? [`downtime ${between(downtimeNs)}`] : [])];
}

function endOf({ endsByItself, totalNs }: ObservedPrediction, atNs: Nanos): string {
  const percent = Math.round(100 * endsByItself!);
  if (totalNs === null) return `does not end by itself (${percent} %)`;
  const left = { p5: totalNs.p5 - atNs, p50: totalNs.p50 - atNs, p95: totalNs.p95 - atNs };
  return `ends in ${between(left)}${percent === 100 ? '' : `, if at all: ${percent} %`}`;
}

/** The median, and the interval that has 90 %. */
function between({ p5, p50, p95 }: Pick<Quantiles, 'p5' | 'p50' | 'p95'>): string {
  return `${formatDuration(p50)} (${formatDuration(p5)}–${formatDuration(p95)})`;
}

function endText({ outcome, totalNs, downtimeNs, sentBytes, reason }: WatchedEnd): string {
  const parts = [
    ...(totalNs === null ? [] : [`total ${formatDuration(totalNs)}`]),
    ...(downtimeNs === null ? [] : [`downtime ${formatDuration(downtimeNs)}`]),
    ...(sentBytes === null ? [] : [`${formatSize(sentBytes)} sent`]),
  ];
  const how = outcome === 'unknown' ? 'how it ended is not known' : outcome;
  return [how, parts.join(', '), ...(reason === null ? [] : [reason])]
    .filter((text) => text !== '')
    .join('  ');
}
