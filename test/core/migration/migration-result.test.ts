import { describe, expect, test } from 'vitest';
import { type DowntimeParts, downtimeParts, partsOf } from '../../../src/core/migration/migration-result.ts';

const sum = (parts: object) => Object.values(parts).reduce((total, part) => total + part, 0);

describe('the parts of a downtime', () => {
  test('are all there, those that took no time as 0, and the dirty scan under its old name too', () => {
    expect(downtimeParts({ dirtyScanNs: 7, memoryNs: 40 })).toEqual({
      ...{ dirtyScanNs: 7, lookNs: 7, memoryNs: 40 },
      ...{ deviceNs: 0, stateNs: 0, verifyNs: 0, commitNs: 0, resumeNs: 0 },
    });
    expect(sum(downtimeParts())).toBe(0);
  });

  test('count the dirty scan once', () => {
    const parts = partsOf(downtimeParts({ dirtyScanNs: 7, memoryNs: 40, commitNs: 1 }));
    expect(sum(parts)).toBe(48);
    expect(Object.keys(parts)).not.toContain('lookNs');
  });

  test('of an older record, which has the old name only and no part of devices, are the same', () => {
    const written = downtimeParts({ dirtyScanNs: 7, memoryNs: 40, commitNs: 1 });
    const { dirtyScanNs: _, deviceNs: __, ...older } = written;
    expect(partsOf(older as DowntimeParts)).toEqual(partsOf(written));
  });
});
