import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../core/units.ts';
import { isObject, type JsonObject, jsonObjects, numberAt, scaledAt } from './json-objects.ts';
import { type Format, nothingSaid, type Parameters, type Sample } from './observation.ts';

const BITS_PER_MEGABIT = 1e6;

/**
 * Answers of QMP's `query-migrate` (qapi/migration.json, MigrationInfo): one, a list or one a line; as they are, in
 * QMP's `return`, in `query_migrate` beside a time, or anywhere in other objects. Those of `query-migrate-parameters` and
 * `query-migrate-capabilities` among them are the parameters.
 */
export const queryMigrate: Format = {
  name: 'query-migrate',
  recognises: (text) =>
    /"(?:query_migrate|dirty-sync-count|total-time|max-bandwidth|downtime-limit|capability)"|"status"\s{0,20}:\s{0,20}"(?:setup|active|completed|failed|cancell|postcopy|pre-switchover|device|none|wait-unplug)/.test(
      text,
    ),
  read(text) {
    const { objects, damaged } = jsonObjects(text);
    const samples: Sample[] = [];
    let [parameters, reason, unknown]: [Partial<Parameters>, string | null, number] = [{}, null, 0];
    let timeless = 0;
    let firstSeconds: number | null = null;
    for (const { answer, seconds } of objects.flatMap((object) => answersIn(object, null))) {
      firstSeconds ??= seconds;
      const found = parametersOf(answer);
      if (found) parameters = { ...parameters, ...found };
      else if (isInfo(answer)) {
        const sinceFirst = seconds === null ? null : (seconds - firstSeconds!) * NANOS_PER_SECOND;
        const sample = sampleOf(answer, sinceFirst);
        if (sample) samples.push(sample);
        else if (!isIdle(answer)) timeless += 1;
        parameters = { ...parameters, ...guestOf(answer) };
        if (typeof answer['error-desc'] === 'string') reason = answer['error-desc'];
      } else if (Object.keys(answer).length > 0) unknown += 1;
    }
    const missing = [
      timeless > 0 ? `${timeless} answers without a total time` : [],
      damaged > 0 ? `${damaged} damaged or cut objects` : [],
      unknown > 0 ? `${unknown} objects that are no answer of query-migrate` : [],
    ].flat();
    return { samples, parameters, reason, missing };
  },
};

interface Answer {
  readonly answer: JsonObject;
  /** When it was given, if that was written beside it. */
  readonly seconds: number | null;
}

/** The answers in a value, whatever they are wrapped in, with the time that is written nearest to them. */
function answersIn(value: unknown, outerSeconds: number | null): readonly Answer[] {
  if (Array.isArray(value)) return value.flatMap((one) => answersIn(one, outerSeconds));
  if (!isObject(value)) return [];
  const seconds = numberAt(value, 't_monotonic') ?? numberAt(value, 'timestamp') ?? outerSeconds;
  if (isInfo(value) || parametersOf(value)) return [{ answer: value, seconds }];
  const inner = Object.values(value).flatMap((one) => answersIn(one, seconds));
  return inner.length > 0 ? inner : [{ answer: value, seconds }];
}

function isInfo(answer: JsonObject): boolean {
  return typeof answer.status === 'string' || isObject(answer.ram);
}

/** Before its first migration, and on a destination, QEMU says a status at most. */
function isIdle(answer: JsonObject): boolean {
  return Object.keys(answer).every(
    (key) => key === 'status' || key === 'blocked-reasons' || key === 'socket-address',
  );
}

/** undefined: neither a time nor anything else is said of the memory */
function sampleOf(answer: JsonObject, sinceFirstNs: number | null): Sample | undefined {
  const ram = isObject(answer.ram) ? answer.ram : {};
  const status = typeof answer.status === 'string' ? answer.status : null;
  const atNs = scaledAt(answer, 'total-time', NANOS_PER_MILLISECOND) ?? sinceFirstNs;
  if (atNs === null || (Object.keys(ram).length === 0 && numberAt(answer, 'total-time') === null))
    return undefined;
  const [normal, duplicate] = [numberAt(ram, 'normal'), numberAt(ram, 'duplicate')];
  return {
    ...nothingSaid,
    atNs,
    status,
    leftBytes: numberAt(ram, 'remaining'),
    sentBytes: numberAt(ram, 'transferred'),
    sentPages: normal === null ? null : normal + (duplicate ?? 0),
    zeroPages: duplicate,
    syncs: numberAt(ram, 'dirty-sync-count'),
    dirtyPagesPerSecond: numberAt(ram, 'dirty-pages-rate'),
    rateBytesPerSecond: scaledAt(ram, 'mbps', BITS_PER_MEGABIT / 8),
    throttlePercent: numberAt(answer, 'cpu-throttle-percentage'),
    expectedDowntimeNs: scaledAt(answer, 'expected-downtime', NANOS_PER_MILLISECOND),
    downtimeNs: scaledAt(answer, 'downtime', NANOS_PER_MILLISECOND),
    downtimeBytes: numberAt(ram, 'downtime-bytes') || null,
    postcopyRequests: numberAt(ram, 'postcopy-requests'),
  };
}

function guestOf(answer: JsonObject): Partial<Parameters> {
  const ram = isObject(answer.ram) ? answer.ram : {};
  const [total, pageSize] = [numberAt(ram, 'total'), numberAt(ram, 'page-size')];
  return {
    ...(total ? { totalBytes: total } : {}),
    ...(pageSize && pageSize >= 512 ? { pageSizeBytes: pageSize } : {}),
    // Only a migration that is told to converge by itself is throttled.
    ...(numberAt(answer, 'cpu-throttle-percentage') ? { autoConverge: true } : {}),
  };
}

/** undefined: no answer of query-migrate-parameters or -capabilities */
function parametersOf(answer: JsonObject): Partial<Parameters> | undefined {
  if (typeof answer.capability === 'string') {
    if (typeof answer.state !== 'boolean') return {};
    if (answer.capability === 'auto-converge') return { autoConverge: answer.state };
    return answer.capability === 'postcopy-ram' ? { postcopy: answer.state } : {};
  }
  if (numberAt(answer, 'max-bandwidth') === null && numberAt(answer, 'downtime-limit') === null)
    return undefined;
  return {
    maxBandwidthBytesPerSecond: numberAt(answer, 'max-bandwidth'),
    downtimeLimitNs: scaledAt(answer, 'downtime-limit', NANOS_PER_MILLISECOND),
    availableSwitchoverBandwidthBytesPerSecond: numberAt(answer, 'avail-switchover-bandwidth') || null,
    // It has this parameter from 8.2 on.
    countsFlushes: numberAt(answer, 'avail-switchover-bandwidth') === null ? null : true,
    throttleInitialPercent: numberAt(answer, 'cpu-throttle-initial'),
    throttleIncrementPercent: numberAt(answer, 'cpu-throttle-increment'),
    maxThrottlePercent: numberAt(answer, 'max-cpu-throttle'),
    throttleTriggerPercent: numberAt(answer, 'throttle-trigger-threshold'),
  };
}
