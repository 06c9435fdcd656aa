import { insisting } from '../scenario/checked.ts';
import type { Experiment, ScenarioCell } from '../scenario/scenario.ts';
import type { WorldName } from '../worlds/worlds.ts';

/** What means something in one world alone, and whether a scenario asks for it. */
const settings: readonly (readonly [path: string, WorldName, (cell: ScenarioCell) => boolean])[] = [
  ['vm.delta', 'vm', ({ deltas }) => deltas],
  ['qemu.xbzrle', 'qemu-native', ({ native }) => native.xbzrleCacheBytes !== null],
  ['qemu.multifd', 'qemu-native', ({ native }) => native.multifdChannels > 0],
  ['qemu.autoConverge', 'qemu-native', ({ native }) => native.autoConverge],
];

/**
 * A scenario file is for any world, and each leaves aside what is another's. Who asks for an experiment names the world
 * with it, and is told.
 * @throws UsageError settings of other worlds
 */
export function insistOnWorld({ cells }: Experiment, world: WorldName): void {
  insisting((insist) => {
    for (const [path, only, isAsked] of settings) {
      const asked = cells.some(isAsked);
      insist(world === only || !asked, path, `nothing, except in the world ${only}`, `world ${world}`);
    }
  });
}
