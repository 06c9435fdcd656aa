import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { linesIn } from './key-values.ts';
import type { DowntimePart, Format } from './observation.ts';

const NANOS_PER_MICROSECOND = 1_000;
const START = 'src-downtime-start';

/**
 * QEMU's trace events `vmstate_downtime*` (migration/trace-events): `PID@SECONDS.MICROSECONDS:vmstate_downtime_checkpoint
 * src-vm-stopped`, and of each device `vmstate_downtime_save type=non-iterable idstr=0000:00:03.0/virtio-net instance_id=0
 * downtime=231` in microseconds. A checkpoint is told from the one before it of the same end.
 */
export const downtimeTrace: Format = {
  name: 'vmstate_downtime trace',
  recognises: (text) => /vmstate_downtime_(?:checkpoint|save|load)/.test(text),
  read(text) {
    const all = linesIn(text);
    const starts = all.filter((line) => line.includes(START)).length;
    const lines = starts > 1 ? all.slice(all.findLastIndex((line) => line.includes(START))) : all;
    const checkpoints = lines.flatMap((line) => checkpointOf(line) ?? []);
    const devices = lines.flatMap((line) => deviceOf(line) ?? []);
    const timeless = checkpoints.filter(({ atNs }) => atNs === undefined).length;
    return {
      samples: [],
      downtimeParts: [...betweenCheckpoints(checkpoints), ...devices.sort((one, other) => other.ns - one.ns)],
      missing: [
        timeless > 0 ? `the times of ${timeless} checkpoints: the log was written without time stamps` : [],
        starts > 1 ? `${starts - 1} earlier ${starts === 2 ? 'downtime' : 'downtimes'} in the same file` : [],
        checkpoints.some(({ name }) => name === START) ? [] : 'the start of the downtime',
      ].flat(),
    };
  },
};

interface Checkpoint {
  readonly name: string;
  readonly atNs: Nanos | undefined;
}

function checkpointOf(line: string): Checkpoint | null {
  const [, name] = /vmstate_downtime_checkpoint ([\w-]{1,60})/.exec(line) ?? [];
  if (name === undefined) return null;
  const [, seconds] = /@(\d{1,12}\.\d{1,9}):/.exec(line) ?? [];
  return { name, atNs: seconds === undefined ? undefined : Number(seconds) * NANOS_PER_SECOND };
}

function betweenCheckpoints(checkpoints: readonly Checkpoint[]): readonly DowntimePart[] {
  const last = new Map<string, Nanos>();
  return checkpoints.flatMap(({ name, atNs }) => {
    const beforeNs = last.get(endOf(name));
    if (atNs === undefined) return [];
    last.set(endOf(name), atNs);
    if (beforeNs === undefined || name === START || atNs < beforeNs) return [];
    return [{ name: `to ${name}`, ns: Math.round(atNs - beforeNs) }];
  });
}

/** src or dst. */
function endOf(name: string): string {
  return name.split('-')[0]!;
}

function deviceOf(line: string): DowntimePart | null {
  const [, what, id, microseconds] =
    /vmstate_downtime_(save|load) type=\S{1,40} idstr=(\S{1,200}) instance_id=\d{1,10} downtime=(\d{1,15})/.exec(
      line,
    ) ?? [];
  return id === undefined
    ? null
    : { name: `${what} ${id}`, ns: Number(microseconds) * NANOS_PER_MICROSECOND };
}
