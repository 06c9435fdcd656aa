import type { NativeSettings } from '../workload/migration-spec.ts';
import { object } from './object-schema.ts';
import { flag, noneOr, quantity, whole } from './quantity.ts';

/** What concerns real machines alone. Other worlds move the same guest without it, so that they can be compared. */

/** For the world vm. */
export const vmSchema = object(
  'World vm',
  'For the world vm alone; other worlds leave it aside.',
  'what the world vm does: { delta }',
  {
    delta: flag.default(false).describe('Whether of a page sent before only what has changed is sent.'),
  },
).prefault({});

const cacheMessage = 'none, or a size that is a power of two, at least 64KiB';
const cacheSize = quantity(
  'size',
  cacheMessage,
  (bytes) => bytes >= 2 ** 16 && Number.isInteger(Math.log2(bytes)),
);

/** For the world qemu-native. */
export const qemuSchema = object(
  'World qemu-native',
  'What QEMU’s own migration uses, for the world qemu-native alone; other worlds leave it aside.',
  'what QEMU’s own migration uses: { xbzrle, multifd, autoConverge }',
  {
    xbzrle: noneOr(cacheSize, cacheMessage).describe(
      'Size of the cache of pages for QEMU’s xbzrle, a power of two of at least 64KiB. none: whole pages are sent. Without it: none.',
    ),
    multifd: whole(0, 255)
      .default(0)
      .describe('Connections for pages (multifd-channels); 0: one for everything.'),
    autoConverge: flag.default(false).describe('Whether QEMU slows down a guest that dirties too much.'),
  },
)
  .transform(
    ({ xbzrle, multifd, autoConverge }): NativeSettings => ({
      xbzrleCacheBytes: xbzrle ?? null,
      multifdChannels: multifd,
      autoConverge,
    }),
  )
  .prefault({});
