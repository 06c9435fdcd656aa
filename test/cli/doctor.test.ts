import { expect, test } from 'vitest';
import { examine } from '../../src/run/doctor.ts';

test('doctor tries everything that a run needs, and says what to do about what is missing', async () => {
  const findings = await examine();
  const needed = findings.filter((finding) => finding.needed);
  expect(needed.map(({ what }) => what)).toEqual(['Node.js', 'clock', 'world threads']);
  expect(needed.filter(({ ok }) => !ok)).toEqual([]);
  for (const { ok, remedy } of findings) expect(remedy === undefined).toBe(ok);
});
