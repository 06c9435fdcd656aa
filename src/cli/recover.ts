import { Command, Option } from 'commander';
import type { End } from '../core/wire/handover.ts';
import { type FoundEnd, type Recovery, recover, type Settlement } from '../transport/recover.ts';
import { type Reconciled, reconcile } from '../worlds/vm/reconcile.ts';
import { print } from './standard-streams.ts';

/** `switchover recover DIR [DIR2]`: decides which end owns the guest of each interrupted migration. */
export function recoverCommand(exit: (code: number) => void): Command {
  return new Command('recover')
    .description('after a crash, decide from the journals which end owns each guest')
    .argument('<folder>', 'folder that was given to --journal')
    .argument('[other]', "the other end's journal folder")
    .addOption(new Option('--json <file>', 'print one JSON object instead of text').choices(['-']))
    .action(async (folder: string, other: string | undefined, options: { json?: '-' }) =>
      exit(await action(other === undefined ? [folder] : [folder, other], options.json !== undefined)),
    );
}

async function action(folders: readonly string[], json: boolean): Promise<number> {
  const recovery = recover(folders);
  const machines = await reconcile(folders);
  const lines = () => [...told(recovery, folders), ...machines.map(machineLine)];
  print(json ? JSON.stringify({ ...recovery, machines }) : lines().join('\n'));
  return recovery.settlements.every(({ state }) => state !== 'undecided') ? 0 : 1;
}

function told({ settlements, remarks }: Recovery, folders: readonly string[]): readonly string[] {
  const nothing = `nothing to do: no unfinished migration in ${folders.join(' and ')}`;
  return [...remarks, ...(settlements.length === 0 ? [nothing] : settlements.map(line))];
}

function machineLine({ guest, end, did }: Reconciled): string {
  return `the virtual machine of guest '${guest}' at the ${end} ${did}`;
}

function line(settlement: Settlement): string {
  const { guest, found, reason } = settlement;
  const ends = [`source: ${trace(found.source)}`, `destination: ${trace(found.destination)}`].join(', ');
  return `guest '${guest}' (${ends}): ${verdict(settlement)}: ${reason}. ${consequence(settlement)}`;
}

function trace(end: FoundEnd | null): string {
  if (!end) return 'no journal found here';
  return `${end.last}, process ${end.pid} ${end.process === 'on another host' ? `on ${end.host}` : end.process}`;
}

function verdict({ owner, state }: Settlement): string {
  if (owner !== 'nobody yet known') return `the ${owner} owns it`;
  return state === 'under way' ? 'its owner is not decided yet' : 'its owner cannot be decided';
}

/** A guest is gone once its process has ended. So what is decided is who may start it again. */
function consequence(settlement: Settlement): string {
  const { owner, done, state } = settlement;
  const running = runningEnds(settlement);
  const written = done.map(({ entry, file }) => `wrote '${entry}' to ${file}`).join(', ');
  const left = running.length > 0 ? `left alone: ${running.join(' and ')}` : '';
  let advice = '';
  if (state === 'undecided') advice = whatToDo(settlement, running.length > 0);
  else if (owner !== 'nobody yet known' && !running.some((end) => end.startsWith(`the ${owner}`))) {
    advice = whereItIs(owner, settlement.found[owner]);
  }
  return [written, left, advice].filter((text) => text !== '').join('; ');
}

function whatToDo({ missing }: Settlement, someRun: boolean): string {
  const never = 'do not start it anywhere';
  if (missing) return `${never}; the journal of the ${missing} is missing: give its folder too`;
  return someRun ? `${never} and run recover again when that process has ended` : never;
}

function whereItIs(owner: End, at: FoundEnd | null): string {
  if (!at || at.process === 'has ended') {
    return `its process is gone and the guest with it: only the ${owner} may start it again`;
  }
  return at.process === 'lives'
    ? `it runs in process ${at.pid}`
    : `it runs in process ${at.pid} on ${at.host}, if that process still runs`;
}

function runningEnds({ found }: Settlement): string[] {
  return (['source', 'destination'] as const).flatMap((end: End) => {
    const at = found[end];
    if (!at || at.process === 'has ended' || at.last === 'aborted' || at.last === 'ended') return [];
    const where = at.process === 'lives' ? 'lives' : `may live on ${at.host}, recover there first`;
    return [`the ${end} (process ${at.pid} ${where})`];
  });
}
