import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { orFailure } from '../../platform/failure.ts';
import { SegmentedMemory, sha256Of } from '../../platform/segmented-memory.ts';
import { frameChecksum } from '../../transport/frame-checksum.ts';
import type { FrameWriter } from '../../transport/frame-writer.ts';
import { encodeFrame } from '../../transport/frame-writer.ts';
import { Journal } from '../../transport/journal.ts';
import { PageFrames } from '../../transport/page-frames.ts';
import { StreamDigest } from '../../transport/stream-digest.ts';
import { repeated, sampledCost } from './sampled-cost.ts';

const PAGE_BYTES = 4096;
const PAGES = 2 ** 20 / PAGE_BYTES;
const REPETITIONS = 200;
const JOURNALS = 40;
/** What is timed at once where one of it is shorter than the clock's step. */
const IN_A_ROW = 1_000;

/** What the sender does with bytes, a MiB at a time, in this thread and with nothing else to do. */
export function byteCosts() {
  const memory = new SegmentedMemory([Buffer.alloc(PAGES * PAGE_BYTES, 0xa5)], PAGE_BYTES);
  const pages = Uint32Array.from({ length: PAGES }, (_, page) => page);
  const frames = new PageFrames({ memory, clear: () => {} });
  const digest = new StreamDigest(randomUUID(), null);
  // Its own frames, because batches are filled anew.
  const own = new PageFrames({ memory, clear: () => {} });
  const sent = own.writer(0);
  own.fill(
    sent,
    { pages: [0], clears: false, from: 0 },
    () => true,
    () => {},
  );
  const stop = encodeFrame('stop', 0, new Uint8Array(24));
  const copied = () => {
    const hasRoom = (writer: FrameWriter) => writer.hasRoomFor(frames.payloadBytes);
    for (let from = 0, batch = 0; from < PAGES; batch++) {
      from = frames.fill(frames.writer(batch), { pages, clears: false, from }, hasRoom, () => {}).next;
    }
  };
  return {
    copyNsPerMebibyte: repeated(REPETITIONS, () => timed(copied)),
    digestNsPerMebibyte: repeated(REPETITIONS, () =>
      timed(() => {
        for (let page = 0; page < PAGES; page++) digest.add(sent.frames());
        digest.take();
      }),
    ),
    hashNsPerMebibyte: repeated(REPETITIONS, () => timed(() => sha256Of(memory.segments))),
    checksumNs: repeated(
      REPETITIONS,
      () =>
        timed(() => {
          for (let i = 0; i < IN_A_ROW; i++) frameChecksum('stop', stop, 0, stop.length);
        }) / IN_A_ROW,
    ),
  };
}

/**
 * An entry that must be on disk before it is acted on, as `run --journal` writes it.
 * @param beside journals are kept in a folder in this one for so long
 * @throws Failure nothing can be written there
 */
export async function journalEntryCost(beside: string) {
  const folder = orFailure(`cannot write ${beside}`, () => mkdtempSync(join(beside, '.switchover-')));
  const samples: Nanos[] = [];
  try {
    for (let i = 0; i < JOURNALS; i++) {
      const guest = { guest: `trial-${i}`, pages: PAGES, pageSizeBytes: PAGE_BYTES, peer: '127.0.0.1:1' };
      const journal = await Journal.atSource(folder, { migration: randomUUID(), ...guest });
      samples.push(timed(() => journal.write('commit')));
      journal.write('ended');
      journal.letGo();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return sampledCost(samples);
}

function timed(action: () => void): Nanos {
  const beganAtNs = clockNs();
  action();
  return clockNs() - beganAtNs;
}
