import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { Activity, GuestMemory, Program, ProgramKind, ProgramPlace } from './program.ts';

/**
 * A media server in small. Every frame period it reads `pagesPerFrame` pages of its medium into a ring of
 * buffers, which costs it `cpuPerFrameNs` of CPU, and sends a heartbeat that carries the frame's number.
 * Memory: page 0, then the ring, then the medium.
 */
export interface StreamSpec {
  readonly kind: 'stream';
  readonly framePeriodNs: Nanos;
  readonly cpuPerFrameNs: Nanos;
  readonly pagesPerFrame: number;
  readonly bufferPages: number;
}

const COPIES = 0;

/** Copy number k belongs to frame ⌊k / pagesPerFrame⌋ and is due when that frame is released. */
function program(spec: StreamSpec, { pages }: ProgramPlace): Program {
  const firstMediumPage = 1 + spec.bufferPages;
  const mediumPages = pages - firstMediumPage;
  return {
    stepCpuNs: spec.cpuPerFrameNs / spec.pagesPerFrame,
    ownHeartbeat: true,
    boot({ registers }) {
      registers[COPIES] = 0;
    },
    nextAtNs: ({ registers }) =>
      (Math.floor(registers[COPIES]! / spec.pagesPerFrame) + 1) * spec.framePeriodNs,
    step({ memory, registers }) {
      const copy = registers[COPIES]!;
      copyPage(memory, firstMediumPage + (copy % mediumPages), 1 + (copy % spec.bufferPages), copy);
      registers[COPIES] = copy + 1;
      return (copy + 1) % spec.pagesPerFrame === 0;
    },
  };
}

/** The buffer takes the medium's bytes and, in its last word, the number of the copy. */
function copyPage(memory: GuestMemory, from: number, to: number, copy: number): void {
  const length = memory.pageSizeBytes / 4;
  const read = memory.firstWordOf(from);
  const written = memory.firstWordOf(to);
  const words = memory.wordsOf(to);
  words.set(memory.wordsOf(from).subarray(read, read + length), written);
  words[written + length - 1] = copy;
  memory.mark(to);
}

/** Copies follow each other through the frame at the CPU time that each one takes. */
function activity(spec: StreamSpec, { pages }: ProgramPlace): Activity {
  const stepNs = spec.cpuPerFrameNs / spec.pagesPerFrame;
  const atNs = (copy: number): Nanos =>
    (Math.floor(copy / spec.pagesPerFrame) + 1) * spec.framePeriodNs +
    ((copy % spec.pagesPerFrame) + 1) * stepNs;
  return {
    kind: 'timeline',
    lastWrites(fromNs, toNs, visit) {
      const end = Math.max(0, Math.floor(toNs / spec.framePeriodNs)) * spec.pagesPerFrame;
      const start = Math.max(0, (Math.floor(fromNs / spec.framePeriodNs) - 1) * spec.pagesPerFrame);
      for (let copy = Math.max(start, end - spec.bufferPages - spec.pagesPerFrame); copy < end; copy++) {
        if (atNs(copy) > fromNs && atNs(copy) <= toNs) visit(1 + (copy % spec.bufferPages), atNs(copy));
      }
    },
    writesPerSecond() {
      const rates = new Float64Array(pages);
      const copiesPerSecond = (spec.pagesPerFrame * NANOS_PER_SECOND) / spec.framePeriodNs;
      return rates.fill(copiesPerSecond / spec.bufferPages, 1, 1 + spec.bufferPages);
    },
  };
}

export const stream: ProgramKind<StreamSpec> = {
  program,
  activity,
  pagesNeeded: ({ bufferPages }) => 1 + bufferPages + 1,
};
