import { appendFileSync } from 'node:fs';
import { test } from 'vitest';
import { differences, lumpablePlans } from './two-samples.ts';
test.each(Object.entries(lumpablePlans))('%s', (name, change) => {
  const t = performance.now();
  let out: unknown;
  try { out = differences(change, 500, 1.4); } catch (e) { out = e; }
  appendFileSync('/tmp/lumped-ks.txt', `${name} ${Math.round(performance.now() - t)} ms ${String(out)}\n`);
}, 300_000);
