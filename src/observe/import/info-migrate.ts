import { durationIn, type KeyValues, keyValueBlocks, numberIn, sizeIn } from './key-values.ts';
import { type Format, nothingSaid, type Parameters, type Sample } from './observation.ts';

const KIB = 1024;
const BITS_PER_MEGABIT = 1e6;

/**
 * `info migrate` of QEMU's human monitor (migration/migration-hmp-cmds.c), once or many times: the long form with `total
 * time: 3003 ms`, and that of QEMU 10.1 with `Time (ms): total=3003`. `info migrate_parameters` and `info
 * migrate_capabilities`, among them or alone, are the parameters.
 */
export const infoMigrate: Format = {
  name: 'info migrate',
  recognises: (text) =>
    /^[ \t]{0,20}(?:Migration status|Status|transferred ram|remaining ram|Time \(ms\)|max-bandwidth|downtime-limit|auto-converge):/m.test(
      text,
    ),
  read(text) {
    const blocks = keyValueBlocks(text);
    const samples = blocks.flatMap((block) => sampleOf(block) ?? []);
    const silent = blocks.filter((block) => !isSetting(block)).length - samples.length;
    return {
      samples,
      parameters: blocks.reduce<Partial<Parameters>>(
        (all, block) => Object.assign(all, guestOf(block), settingsOf(block)),
        {},
      ),
      reason: blocks.map(errorOf).findLast((reason) => reason !== null) ?? null,
      missing: silent > 0 ? [`${silent} answers without a total time`] : [],
    };
  },
};

/** What a figure is called in the long form and in the short one. */
const keys = {
  status: ['migration status', 'status'],
  totalTime: ['total time', 'time (ms) total'],
  expectedDowntime: ['expected downtime', 'time (ms) exp_down'],
  downtime: ['downtime', 'time (ms) down'],
  transferred: ['transferred ram', 'transfers transferred'],
  remaining: ['remaining ram', 'transfers remain'],
  total: ['total ram', 'sizes total'],
  pageSize: ['page size', 'sizes pagesize'],
  normal: ['normal', 'page types normal'],
  zero: ['duplicate', 'page types zero'],
  syncs: ['dirty sync count', 'others dirty_syncs'],
  dirtyRate: ['dirty pages rate', 'page rates (pps) dirty'],
  throughput: ['throughput', 'throughput (mbps)'],
  throttle: ['cpu throttle percentage', 'cpu throttle (%)'],
  postcopyRequests: ['postcopy request count', 'others postcopy_req'],
  downtimeBytes: ['downtime ram', 'others downtime_bytes'],
} as const;

function textAt(block: KeyValues, [long, short]: readonly [string, string]): string | undefined {
  return block.get(long) ?? block.get(short);
}

/** null: no time is told, so that it cannot be placed */
function sampleOf(block: KeyValues): Sample | null {
  const at = (key: keyof typeof keys) => textAt(block, keys[key]);
  const atNs = durationIn(at('totalTime'));
  if (atNs === null) return null;
  const [normal, zero] = [numberIn(at('normal')), numberIn(at('zero'))];
  return {
    ...nothingSaid,
    atNs,
    status: at('status')?.split(/\s/)[0] || null,
    leftBytes: sizeIn(at('remaining'), KIB),
    sentBytes: sizeIn(at('transferred'), KIB),
    sentPages: normal === null ? null : normal + (zero ?? 0),
    zeroPages: zero,
    syncs: numberIn(at('syncs')),
    dirtyPagesPerSecond: numberIn(at('dirtyRate')),
    rateBytesPerSecond: numberIn(at('throughput'), BITS_PER_MEGABIT / 8),
    throttlePercent: numberIn(at('throttle')),
    expectedDowntimeNs: durationIn(at('expectedDowntime')),
    downtimeNs: durationIn(at('downtime')),
    downtimeBytes: sizeIn(at('downtimeBytes')) || null,
    postcopyRequests: numberIn(at('postcopyRequests')),
  };
}

/** `failed (reason)` */
function errorOf(block: KeyValues): string | null {
  return /\((.+)\)/.exec(textAt(block, keys.status) ?? '')?.[1] ?? null;
}

function guestOf(block: KeyValues): Partial<Parameters> {
  const total = sizeIn(textAt(block, keys.total), KIB);
  const pageSize = sizeIn(textAt(block, keys.pageSize), KIB);
  return {
    ...(total ? { totalBytes: total } : {}),
    ...(pageSize && pageSize >= 512 ? { pageSizeBytes: pageSize } : {}),
    ...(numberIn(textAt(block, keys.throttle)) ? { autoConverge: true } : {}),
  };
}

function isSetting(block: KeyValues): boolean {
  return !block.has(keys.totalTime[0]) && (block.has('max-bandwidth') || block.has('auto-converge'));
}

/** Of `info migrate_parameters` and `info migrate_capabilities`, whose keys are those of QMP. */
function settingsOf(block: KeyValues): Partial<Parameters> {
  const settings: Partial<Parameters> = {
    maxBandwidthBytesPerSecond: sizeIn(block.get('max-bandwidth')),
    downtimeLimitNs: durationIn(block.get('downtime-limit')),
    // 0 is not told.
    availableSwitchoverBandwidthBytesPerSecond: sizeIn(block.get('avail-switchover-bandwidth')) || null,
    // It has this parameter from 8.2 on.
    countsFlushes: block.has('avail-switchover-bandwidth') ? true : null,
    autoConverge: switchIn(block.get('auto-converge')),
    postcopy: switchIn(block.get('postcopy-ram')),
    throttleInitialPercent: numberIn(block.get('cpu-throttle-initial')),
    throttleIncrementPercent: numberIn(block.get('cpu-throttle-increment')),
    maxThrottlePercent: numberIn(block.get('max-cpu-throttle')),
    throttleTriggerPercent: numberIn(block.get('throttle-trigger-threshold')),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}

function switchIn(text: string | undefined): boolean | null {
  return text === 'on' ? true : text === 'off' ? false : null;
}
