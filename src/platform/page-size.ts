import { readFileSync } from 'node:fs';
import { Failure, reasonOf } from './failure.ts';

/** include/uapi/linux/auxvec.h */
const AT_PAGESZ = 6n;

/** The page size of this machine's kernel, from what it told this process when it began: getauxval(3). */
export function systemPageBytes(): number {
  let vector: Buffer;
  try {
    vector = readFileSync('/proc/self/auxv');
  } catch (cause) {
    throw new Failure(`cannot read the page size of this machine: ${reasonOf(cause)}`);
  }
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
  }
  throw new Failure('the kernel reports no page size');
}
