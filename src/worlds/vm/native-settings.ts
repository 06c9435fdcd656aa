import { formatSize } from '../../core/units.ts';
import type { NativeSettings } from '../../workload/migration-spec.ts';
import type { QueryMigrate } from './native-migration-log.ts';
import type { Qemu } from './qemu.ts';

export const plainNative: NativeSettings = {
  xbzrleCacheBytes: null,
  multifdChannels: 0,
  autoConverge: false,
};

/** Both ends must know how many connections there are; the rest is the source's affair. */
export async function configure(
  { xbzrleCacheBytes, multifdChannels, autoConverge }: NativeSettings,
  source: Qemu,
  destination: Qemu,
): Promise<void> {
  if (xbzrleCacheBytes !== null) {
    for (const end of [source, destination]) await end.enable('xbzrle');
    await source.qmp.execute('migrate-set-parameters', { 'xbzrle-cache-size': xbzrleCacheBytes });
  }
  if (multifdChannels > 0) {
    for (const end of [source, destination]) {
      await end.enable('multifd');
      await end.qmp.execute('migrate-set-parameters', { 'multifd-channels': multifdChannels });
    }
  }
  if (autoConverge) await source.enable('auto-converge');
}

/** What became of it. @param last QEMU's figures at the end. @param throttledPercent the most by which it slowed the guest */
export function notesOf(
  { xbzrleCacheBytes, multifdChannels, autoConverge }: NativeSettings,
  last: QueryMigrate,
  throttledPercent: number,
): readonly string[] {
  const notes: string[] = [];
  if (xbzrleCacheBytes !== null) {
    const { pages = 0, bytes = 0 } = last['xbzrle-cache'] ?? {};
    notes.push(
      `xbzrle, a cache of ${formatSize(xbzrleCacheBytes)}: ${pages} pages sent as differences, ${formatSize(bytes)} in all`,
    );
  }
  if (multifdChannels > 0) {
    notes.push(
      `multifd: another ${formatSize(last.ram?.['multifd-bytes'] ?? 0)} over ${multifdChannels} connections`,
    );
  }
  if (autoConverge) notes.push(`auto-converge: guest throttled by up to ${throttledPercent} %`);
  return notes;
}
