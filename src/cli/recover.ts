import { type Command, Option } from 'commander';
import type { End } from '../core/wire/handover.ts';
import { type RestoredSettings, restoreLeft } from '../qemu/borrowed-settings.ts';
import { type RestoredThreads, restoreThreads } from '../qemu/borrowed-threads.ts';
import { folded } from '../study/tables/folded.ts';
import { type Recovery, recover } from '../transport/recover.ts';
import { type FoundEnd, leftAlone, type Settlement, unproved } from '../transport/settlement.ts';
import { undecidedArrivals } from '../worlds/qemu/arrivals.ts';
import { type SettledMachine, settleMachines } from '../worlds/qemu/settle-machines.ts';
import { type Reconciled, reconcile } from '../worlds/vm/reconcile.ts';
import { addCredentialOptions, type CredentialOptions, credentialsOf } from './credential-options.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { print } from './standard-streams.ts';

interface Options extends OutputOptions, CredentialOptions {
  readonly declareDead?: readonly string[];
}

/** `switchover recover DIR [DIR2]`: decides which end owns the guest of each interrupted migration. */
export function recoverCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '<folder>',
      'folder that was given to --journal, or a folder in use by a process that has ended',
    )
    .argument('[other]', "the other end's journal folder")
    .addOption(
      new Option(
        '--declare-dead <name>',
        'say that this process has ended, where that cannot be proved from here; may be repeated',
      ).argParser((name: string, before: readonly string[] = []) => [...before, name]),
    )
    .addOption(jsonOption())
    .addOption(wideOption());
  addCredentialOptions(command, "the key of the switchover receive to which somebody's QEMU was on its way")
    .addHelpText('after', HELP)
    .action(async (folder: string, other: string | undefined, options: Options) =>
      exit(await action(other === undefined ? [folder] : [folder, other], options)),
    );
}

const HELP = `
A process that uses a folder keeps a socket in it, NAME.life. It lives if the
kernel accepts a connection there, also if it is frozen, in a container, or
another user's. It has ended if the kernel refuses, and nobody on another host
could be listening. Otherwise nothing is proved: the guest is undecided, the
exit code is 1, and the command to repeat with --declare-dead NAME is printed.
Declare a process dead only if you know that it has ended: if it lives, its
guest may run twice. The same command gives free a folder that a daemon or a
sweep seems to use.

It also finishes moves of somebody's QEMU (switchover migrate) that were killed:
a machine that its source has given away is told to run at its destination, and
one that stayed does not run there. Where that is behind a switchover receive,
it is asked for it; give the same credentials as to migrate. Migration settings that a rehearsal or a
move has set are restored, and threads are scheduled as they were before it.

A damaged journal counts as one that is missing, and costs no guest but its own.
Once you know whose that guest is, move the file away.`;

async function action(folders: readonly string[], options: Options): Promise<number> {
  const { json, declareDead = [] } = options;
  const recovery = await recover(folders, declareDead);
  const machines = await reconcile(folders, declareDead);
  const credentials = credentialsOf(options);
  const moves = (
    await Promise.all(folders.map((folder) => settleMachines(folder, declareDead, () => credentials)))
  ).flat();
  const arrivals = (await Promise.all(folders.map(undecidedArrivals))).flat();
  const settings = (await Promise.all(folders.map(restoreLeft))).flat();
  const reservations = (
    await Promise.all(folders.map((folder) => restoreThreads(folder, declareDead)))
  ).flat();
  if (writeJson(json, () => ({ ...recovery, machines, moves, arrivals, settings, reservations }))) {
    const lines = [
      ...told(recovery, folders),
      ...machines.map(machineLine),
      ...moves.map(moveLine),
      ...arrivals.map(arrivalLine),
      ...settings.map((one) => borrowedLine('the migration settings', one)),
      ...reservations.map((one) => borrowedLine('the threads', one)),
    ];
    print(folded(lines.join('\n'), widthOf(options)));
  }
  const isLeft = [...moves, ...settings, ...reservations].some(({ did }) => did === 'left alone');
  return isLeft || arrivals.length > 0 || recovery.settlements.some(({ state }) => state === 'undecided')
    ? 1
    : 0;
}

function told({ settlements, remarks }: Recovery, folders: readonly string[]): readonly string[] {
  const nothing = `nothing to do: no unfinished migration in ${folders.join(' and ')}`;
  const lines = settlements.map((settlement) => line(settlement, folders));
  return [...remarks, ...(settlements.length === 0 ? [nothing] : lines)];
}

function machineLine({ guest, end, did }: Reconciled): string {
  return `the virtual machine of guest '${guest}' at the ${end} ${did}`;
}

function moveLine({ socket, destination, did, reason }: SettledMachine): string {
  const what = `the virtual machine at ${socket}, on its way to ${destination},`;
  if (did === 'left alone') return `${what} was left alone: ${reason}`;
  return `${what} ${did}${reason === undefined ? '' : `; ${reason}`}`;
}

function arrivalLine(socket: string): string {
  return `the virtual machine at ${socket} has come here whole, and its source has not said whose it is: run recover there; if that host is lost for good, cont runs it here`;
}

function borrowedLine(what: string, { socket, did, reason }: RestoredSettings | RestoredThreads): string {
  const its = `${what} of the VM at ${socket}`;
  if (did === 'restored') return `${its} are as before`;
  return did === 'the machine has ended' ? `${its} ended with it` : `${its} were left alone: ${reason}`;
}

function line(settlement: Settlement, folders: readonly string[]): string {
  const { guest, found, reason } = settlement;
  const ends = [`source: ${trace(found.source)}`, `destination: ${trace(found.destination)}`].join(', ');
  return `guest '${guest}' (${ends}): ${verdict(settlement)}: ${reason}. ${consequence(settlement, folders)}`;
}

function trace(end: FoundEnd | null): string {
  if (!end) return 'no journal found here';
  const last = end.last ?? 'a damaged journal';
  return end.pid === null ? last : `${last}, process ${processOf(end)}`;
}

function processOf({ process, pid, host, name }: FoundEnd): string {
  return process === 'unknown' ? `${pid} on ${host} (${name}) may live` : `${pid} ${process}`;
}

function verdict({ owner, state }: Settlement): string {
  if (owner !== 'nobody yet known') return `the ${owner} owns it`;
  return state === 'under way' ? 'its owner is not decided yet' : 'its owner cannot be decided';
}

/** A guest is gone once its process has ended. So what is decided is who may start it again. */
function consequence(settlement: Settlement, folders: readonly string[]): string {
  const { owner, done, found, state } = settlement;
  const left = leftAlone(settlement).filter((end) => found[end]!.name !== null);
  const written = done.map(({ entry, file }) => `wrote '${entry}' to ${file}`).join(', ');
  const leaves = left.map((end) => `the ${end} (process ${processOf(found[end]!)})`).join(' and ');
  let advice = '';
  if (state === 'undecided') advice = whatToDo(settlement);
  else if (owner !== 'nobody yet known' && !left.includes(owner)) advice = whereItIs(owner, found[owner]);
  return [written, left.length > 0 ? `left alone: ${leaves}` : '', advice, ...unproved(settlement, folders)]
    .filter((text) => text !== '')
    .join('; ');
}

function whatToDo({ missing, found }: Settlement): string {
  const never = 'do not start it anywhere';
  const damaged = [found.source, found.destination].find((end) => end?.damage);
  if (damaged) return `${never}; once you know whose it is, move ${damaged.file} away`;
  if (missing) return `${never}; the journal of the ${missing} is missing: give its folder too`;
  const lives = found.source?.process === 'lives' || found.destination?.process === 'lives';
  return lives ? `${never} and run recover again when that process has ended` : never;
}

function whereItIs(owner: End, at: FoundEnd | null): string {
  if (at?.process === 'lives') return `it runs in process ${at.pid}`;
  return at?.process === 'unknown' && at.pid !== null
    ? `it runs in process ${at.pid} on ${at.host}, if that process still runs`
    : `its process is gone and the guest with it: only the ${owner} may start it again`;
}
