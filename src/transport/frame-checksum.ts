import { crc32 } from 'node:zlib';
import { type FrameType, isOfPage } from '../core/wire/frames.ts';
import { headerChecksum } from '../core/wire/header-checksum.ts';

/** The checksum of a frame from `start` to `end`: of its header, and of its payload unless that is a page's (frames.ts). */
export function frameChecksum(type: FrameType, buffer: Buffer, start: number, end: number): number {
  return isOfPage(type) ? headerChecksum(buffer, start) : crc32(buffer.subarray(start + 4, end));
}
