import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { type KeyValues, linesIn, numberIn, sizeIn } from './key-values.ts';
import { type Format, nothingSaid, type Parameters, type Sample } from './observation.ts';

/**
 * A VirtualMachineInstance with `status.migrationState`, a VirtualMachineInstanceMigration, or a MigrationPolicy of KubeVirt
 * (staging/src/kubevirt.io/api/core/v1/types.go), in YAML or JSON, whole or in part: only single values are read.
 */
export const kubevirt: Format = {
  name: 'KubeVirt',
  recognises: (text) =>
    /\b(?:migrationState|migrationConfiguration|allowAutoConverge|bandwidthPerMigration|completionTimeoutPerGiB|maxDowntimeMs|allowPostCopy)\b"?\s*:|kind"?\s*:\s*"?MigrationPolicy\b/.test(
      text,
    ),
  read(text) {
    const values = valuesIn(text);
    const sample = sampleOf(values);
    return {
      samples: sample ? [sample] : [],
      parameters: parametersOf(values),
      reason: values.get('failurereason') ?? null,
      missing: ['rounds, rates and downtime: KubeVirt does not tell them'],
    };
  },
};

/** The first value of each key, with its quotes taken off. */
function valuesIn(text: string): KeyValues {
  const values = new Map<string, string>();
  for (const line of linesIn(text)) {
    for (const [, key, quoted, bare] of line.matchAll(
      /"?\b([A-Za-z]{1,60})"?\s{0,4}:\s{0,4}(?:"([^"]{0,200})"|([\w.:+-]{1,60}))/g,
    )) {
      const name = key!.toLowerCase();
      if (!values.has(name)) values.set(name, quoted ?? bare!);
    }
  }
  return values;
}

function sampleOf(values: KeyValues): Sample | null {
  const [from, to] = [instantIn(values.get('starttimestamp')), instantIn(values.get('endtimestamp'))];
  if (from === null) return null;
  const atNs = to === null ? 0 : Math.max(0, to - from) * NANOS_PER_MILLISECOND;
  return { ...nothingSaid, atNs, status: statusOf(values) };
}

/** Milliseconds since 1970. */
function instantIn(text: string | undefined): number | null {
  const at = Date.parse(text ?? '');
  return Number.isFinite(at) ? at : null;
}

function statusOf(values: KeyValues): string | null {
  if (values.get('abortstatus') === 'Succeeded') return 'cancelled';
  if (values.get('failed') === 'true') return 'failed';
  return values.get('completed') === 'true' ? 'completed' : 'active';
}

function parametersOf(values: KeyValues): Partial<Parameters> {
  const flag = (key: string) => (values.has(key) ? values.get(key) === 'true' : null);
  return {
    totalBytes: sizeIn(values.get('guest')) || null,
    // 0 is no limit.
    maxBandwidthBytesPerSecond: sizeIn(values.get('bandwidthpermigration')) || null,
    downtimeLimitNs: numberIn(values.get('maxdowntimems'), NANOS_PER_MILLISECOND) || null,
    autoConverge: flag('allowautoconverge'),
    postcopy: flag('allowpostcopy'),
  };
}
