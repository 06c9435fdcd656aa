import { appendFileSync } from 'node:fs';
import { test } from 'vitest';
import { driveSync } from '../../../src/run/drive.ts';
import { LumpedWorld } from '../../../src/worlds/virtual/lumped-world.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';
import { differences, lumpablePlans } from './two-samples.ts';
test.skip('means', () => {
  for (const W of [VirtualWorld, LumpedWorld]) {
    const t = process.cpuUsage();
    const x: number[] = [];
    const y: number[] = [];
    for (let seed = 1; seed <= 4000; seed++) {
      const spec = smallSetup({ guest: { seed: seed + (W === LumpedWorld ? 9000 : 0) }, plan: { seed, observeNs: 0, stop: { rule: 'rounds', rounds: 3 } } });
      const r = driveSync(spec.plan, new W(spec, false));
      x.push(r.rounds[1]!.dirtyPages);
      y.push(r.stop.pages);
    }
    const m = (v: number[]) => v.reduce((s, a) => s + a, 0) / v.length;
    const s = (v: number[]) => m(v.map((a) => (a - m(v)) ** 2));
    appendFileSync('/tmp/lumped-ks.txt', `${W.name} D2 ${m(x)} var ${s(x)} stop ${m(y)} var ${s(y)} cpu ${process.cpuUsage(t).user / 1000}\n`);
  }
}, 300_000);
test.each(Object.entries(lumpablePlans))('%s', (name, change) => {
  const t = process.cpuUsage();
  let out: unknown;
  try { out = differences(change, 1500, 1.6); } catch (e) { out = e; }
  appendFileSync('/tmp/lumped-ks.txt', `${name} ${Math.round(process.cpuUsage(t).user / 1000)} ms ${String(out)}\n`);
}, 300_000);
