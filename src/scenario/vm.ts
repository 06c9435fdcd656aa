import { z } from 'zod';
import { parseSize } from '../core/units.ts';
import type { NativeSettings } from '../workload/migration-spec.ts';
import { noneOr, quantity, whole } from './quantity.ts';

/** What concerns real machines alone. Other worlds move the same guest without it, so that they can be compared. */
const flag = z.boolean('true or false').default(false);

/** For the world vm. */
export const vmSchema = z.strictObject({ delta: flag }, 'what the world vm does: { delta }').prefault({});

const cacheMessage = 'none, or a size that is a power of two, at least 64KiB';
const cacheSize = quantity(
  parseSize,
  cacheMessage,
  (bytes) => bytes >= 2 ** 16 && Number.isInteger(Math.log2(bytes)),
);

/** For the world qemu-native. */
export const qemuSchema = z
  .strictObject(
    {
      xbzrle: noneOr(cacheSize),
      multifd: whole(0, 255).default(0),
      autoConverge: flag,
    },
    'what QEMU’s own migration uses: { xbzrle, multifd, autoConverge }',
  )
  .transform(
    ({ xbzrle, multifd, autoConverge }): NativeSettings => ({
      xbzrleCacheBytes: xbzrle ?? null,
      multifdChannels: multifd,
      autoConverge,
    }),
  )
  .prefault({});
