import type { Socket } from 'node:net';
import { Failure } from '../../platform/failure.ts';
import { MigrationSocket } from '../../qemu/migration-socket.ts';
import { MigrationStreamParser } from '../../qemu/migration-stream.ts';
import type { RamBlock } from '../../qemu/stream-layout.ts';
import { reaches } from './machine-events.ts';
import { PageFlow } from './page-flow.ts';
import type { SourceMachine } from './source-machine.ts';

/** So that no more than some 0.2 MB is on the way. */
const READ_AHEAD_BYTES = 16 * 1024;
const CONNECTS_WITHIN_MS = 10_000;

/** Has the machine migrate to us. @returns its stream @throws Failure it cannot connect, or its migration has failed */
export async function streamOf(machine: SourceMachine): Promise<Socket> {
  const socket = await MigrationSocket.open(READ_AHEAD_BYTES);
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Failure('the machine did not connect to our socket for its migration')),
        CONNECTS_WITHIN_MS,
      );
    });
    tooLate.catch(() => {});
    const failed = reaches(machine.events, 'active', 'source').then(() => new Promise<never>(() => {}));
    failed.catch(() => {});
    await machine.begin(socket.uri);
    return await Promise.race([socket.connected, tooLate, failed]);
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/**
 * The blocks of the machine's memory: its stream begins with them, so that a migration is begun and cancelled before any of its pages
 * has been read. Its settings are as before.
 */
export async function blocksOf(machine: SourceMachine): Promise<readonly RamBlock[]> {
  await machine.borrow();
  try {
    const stream = await streamOf(machine);
    const flow = new PageFlow();
    const parser = new MigrationStreamParser(flow);
    try {
      for await (const chunk of stream) {
        parser.push(chunk as Buffer);
        if (flow.blocksOf.length > 0) break;
      }
    } finally {
      await machine.cancel();
      stream.destroy();
      await machine.ended();
    }
    if (flow.blocksOf.length === 0) throw new Failure('the machine has ended its stream');
    return flow.blocksOf;
  } finally {
    await machine.restore();
  }
}
