import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measureMachine } from '../../../src/run/prediction/measure-machine.ts';
import { predictObservation } from '../../../src/run/prediction/predict-observation.ts';
import { qemuProgram } from '../../../src/worlds/vm/qemu.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';

test.skipIf(withoutQemu !== undefined)(
  'a QEMU that runs is asked for its parameters and dirty rates, and its migration is predicted',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switchover-measured-'));
    const socket = join(folder, 'monitor');
    // Its firmware finds nothing to boot and waits.
    const machine = ['-accel', 'tcg', '-m', '64', '-display', 'none', '-nodefaults'];
    const qemu = spawn(qemuProgram, [...machine, '-qmp', `unix:${socket},server=on,wait=off`], {
      stdio: 'ignore',
    });
    try {
      await expect.poll(() => isListening(socket)).toBe(true);
      const { observation, memoryBytes, missing } = await measureMachine(socket);
      expect(missing).toEqual([]);
      expect(memoryBytes).toBe(64 * 2 ** 20);
      expect(observation.parameters).toMatchObject({
        maxBandwidthBytesPerSecond: 134_217_728,
        downtimeLimitNs: 300e6,
        autoConverge: false,
      });
      expect(observation.dirtied.map(({ exposureNs }) => exposureNs)).toEqual([1e9, 2e9, 5e9]);
      const { endsByItself, totalNs } = predictObservation(observation, { memoryBytes });
      expect(endsByItself).toBeGreaterThan(0.9);
      // All of its memory at that bandwidth takes half a second.
      expect(totalNs!.p90).toBeLessThan(5e9);
    } finally {
      qemu.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** Its file is there a moment before it may be connected to: __SO_ACCEPTCON (1 << 16) among its flags, see proc(5). */
function isListening(socket: string): boolean {
  const line = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .find((each) => each.endsWith(` ${socket}`));
  return line !== undefined && (Number.parseInt(line.split(' ')[3]!, 16) & 0x10000) !== 0;
}
