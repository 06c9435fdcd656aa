import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../platform/failure.ts';
import type { Qmp } from '../../qemu/qmp.ts';

const ASK_EVERY_MS = 20;

/**
 * Has a QEMU of this host write its machine's memory into a file. It does so beside its monitor, which goes on to answer: a large memory
 * takes longer than any answer may.
 * @throws Failure it could not
 */
export async function dumpMemory(qmp: Qmp, file: string): Promise<void> {
  await qmp.execute('dump-guest-memory', { paging: false, protocol: `file:${file}`, detach: true });
  for (;;) {
    const { status } = await qmp.execute<{ readonly status: string }>('query-dump');
    if (status === 'completed') return;
    if (status !== 'active') throw new Failure(`QEMU could not write its memory into ${file}`);
    await sleep(ASK_EVERY_MS);
  }
}
