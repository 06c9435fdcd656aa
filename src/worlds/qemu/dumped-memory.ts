import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { MemoryComparison } from '../../core/migration/migration-result.ts';
import type { QemuDestination } from './qemu-destination.ts';
import type { SourceMachine } from './source-machine.ts';

/** A file system in memory. */
const MEMORY_FILES = '/dev/shm';

/** All memory of both machines, which stand still, by what each of them writes of its own into a file of this host. */
export async function compareMemory(
  machine: SourceMachine,
  destination: QemuDestination,
): Promise<MemoryComparison> {
  const folder = mkdtempSync(join(MEMORY_FILES, 'switchover-dump-'));
  try {
    const digests: string[] = [];
    for (const [name, dump] of [
      ['source', (file: string) => machine.dumpMemory(file)],
      ['destination', (file: string) => destination.dumpMemory!(file)],
    ] as const) {
      const file = join(folder, name);
      await dump(file);
      const hash = createHash('sha256');
      await pipeline(createReadStream(file, { highWaterMark: 2 ** 20 }), hash);
      digests.push(hash.digest('hex'));
      rmSync(file);
    }
    return digests[0] === digests[1] ? 'identical' : 'different';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
