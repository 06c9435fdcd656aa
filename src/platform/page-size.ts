import { readFileSync } from 'node:fs';
import { Failure, orFailure } from './failure.ts';

/** include/uapi/linux/auxvec.h */
const AT_PAGESZ = 6n;

/** The page size of this machine's kernel, from what it told this process when it began: getauxval(3). */
export function systemPageBytes(): number {
  const what = 'cannot read the page size of this machine';
  const vector = orFailure(what, () => readFileSync('/proc/self/auxv'));
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
  }
  throw new Failure('the kernel reports no page size');
}
