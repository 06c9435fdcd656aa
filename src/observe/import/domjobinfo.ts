import { durationIn, type KeyValues, keyValueBlocks, numberIn, sizeIn } from './key-values.ts';
import { type Format, nothingSaid, type Parameters, type Sample } from './observation.ts';

/** virDomainJobType of `--rawstats`, and what is printed for it otherwise (libvirt, tools/virsh-domain.c). */
const statuses: Readonly<Record<string, string>> = {
  ...{ '1': 'active', '2': 'active', '3': 'completed', '4': 'failed', '5': 'cancelled' },
  ...{
    bounded: 'active',
    unbounded: 'active',
    completed: 'completed',
    failed: 'failed',
    cancelled: 'cancelled',
  },
};

/** What a figure is called for people, and with `--rawstats`. */
const keys = {
  type: ['job type', 'type'],
  elapsed: ['time elapsed', 'time_elapsed'],
  processed: ['memory processed', 'memory_processed'],
  remaining: ['memory remaining', 'memory_remaining'],
  total: ['memory total', 'memory_total'],
  bandwidth: ['memory bandwidth', 'memory_bps'],
  dirtyRate: ['dirty rate', 'memory_dirty_rate'],
  pageSize: ['page size', 'memory_page_size'],
  iteration: ['iteration', 'memory_iteration'],
  constant: ['constant pages', 'memory_constant'],
  normal: ['normal pages', 'memory_normal'],
  expectedDowntime: ['expected downtime', 'expected_downtime'],
  downtime: ['total downtime', 'downtime'],
  throttle: ['auto converge throttle', 'auto_converge_throttle'],
  postcopyRequests: ['postcopy requests', 'memory_postcopy_requests'],
} as const;

/** `virsh domjobinfo`, with or without `--completed` and `--rawstats`, once or many times. */
export const domjobinfo: Format = {
  name: 'domjobinfo',
  recognises: (text) =>
    /^[ \t]{0,20}(?:Job type|Time elapsed|Memory remaining|time_elapsed|memory_remaining)[ \t]{0,20}:/m.test(
      text,
    ),
  read(text) {
    const blocks = keyValueBlocks(text);
    const samples = blocks.flatMap((block) => sampleOf(block) ?? []);
    const silent = blocks.length - samples.length;
    return {
      samples,
      parameters: blocks.reduce<Partial<Parameters>>((all, block) => Object.assign(all, guestOf(block)), {}),
      missing: silent > 0 ? [`${silent} answers without a time elapsed`] : [],
    };
  },
};

function textAt(block: KeyValues, key: keyof typeof keys): string | undefined {
  const [told, raw] = keys[key];
  return block.get(told) ?? block.get(raw);
}

function sampleOf(block: KeyValues): Sample | null {
  const atNs = durationIn(textAt(block, 'elapsed'));
  if (atNs === null) return null;
  const [normal, constant] = [numberIn(textAt(block, 'normal')), numberIn(textAt(block, 'constant'))];
  return {
    ...nothingSaid,
    atNs,
    status: statuses[(textAt(block, 'type') ?? '').toLowerCase()] ?? null,
    leftBytes: sizeIn(textAt(block, 'remaining')),
    sentBytes: sizeIn(textAt(block, 'processed')),
    sentPages: normal === null ? null : normal + (constant ?? 0),
    zeroPages: constant,
    syncs: numberIn(textAt(block, 'iteration')),
    dirtyPagesPerSecond: numberIn(textAt(block, 'dirtyRate')),
    rateBytesPerSecond: sizeIn(textAt(block, 'bandwidth')),
    throttlePercent: numberIn(textAt(block, 'throttle')),
    expectedDowntimeNs: durationIn(textAt(block, 'expectedDowntime')),
    downtimeNs: durationIn(textAt(block, 'downtime')),
    postcopyRequests: numberIn(textAt(block, 'postcopyRequests')),
  };
}

function guestOf(block: KeyValues): Partial<Parameters> {
  const [total, pageSize] = [sizeIn(textAt(block, 'total')), sizeIn(textAt(block, 'pageSize'))];
  return {
    ...(total ? { totalBytes: total } : {}),
    ...(pageSize && pageSize >= 512 ? { pageSizeBytes: pageSize } : {}),
    ...(numberIn(textAt(block, 'throttle')) ? { autoConverge: true } : {}),
  };
}
