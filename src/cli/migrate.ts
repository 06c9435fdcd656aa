import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import { formatReservation } from '../core/cpu/reservation.ts';
import type { KeptForThreads } from '../core/migration/migration-result.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { formatDuration, formatRate, formatSize, type Nanos } from '../core/units.ts';
import { usageError } from '../platform/problem.ts';
import { afterwardsInLibvirt } from '../run/after-libvirt.ts';
import type { StepListener } from '../run/drive.ts';
import { type MachineMigration, migrateMachine } from '../run/migrate-machine.ts';
import { readScenario, type Scenario, scenarioOf } from '../scenario/scenario.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import type { Setting } from '../scenario/settings.ts';
import { heldPromise } from '../study/plan/held-promise.ts';
import { folded } from '../study/tables/folded.ts';
import { planTable } from '../study/tables/plan-table.ts';
import { heldTable, promiseLines } from '../study/tables/promise-table.ts';
import { parseAddress } from '../transport/address.ts';
import { LocalDestination } from '../worlds/qemu/local-destination.ts';
import { RemoteDestination } from '../worlds/qemu/remote-destination.ts';
import { addCredentialOptions, type CredentialOptions, credentialsOf } from './credential-options.ts';
import type { Exit } from './exit.ts';
import { interruptible } from './interruptible.ts';
import { writeJson } from './json-output.ts';
import { addDomainOption, type MonitorOptions, withMonitor } from './monitor-option.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { planJson } from './plan-output.ts';
import { chosenForMachine, planForMachine, promiseJson } from './promised-migration.ts';
import { setOption } from './scenario-options.ts';
import { print } from './standard-streams.ts';
import { targetOf } from './target-option.ts';

interface Options extends OutputOptions, CredentialOptions, MonitorOptions {
  readonly to?: string;
  readonly toQmp?: string;
  readonly plan?: string;
  readonly journal?: string;
  readonly set?: readonly Setting[];
  readonly mode: 'pull' | 'pass';
  readonly target?: string;
  readonly rehearse?: string;
}

/** `switchover migrate --qmp SOCKET --to-qmp SOCKET`: moves a running virtual machine of somebody else under a plan. */
export function migrateCommand(command: Command, exit: Exit): void {
  addDomainOption(
    command.option('--qmp <socket>', 'the monitor of the virtual machine, which nobody else uses'),
  )
    .option('--to <host:port>', 'to the QEMU behind a switchover receive --qmp')
    .option(
      '--to-qmp <socket>',
      'to the QEMU on this host with this monitor, which waits for it (-incoming defer)',
    );
  addCredentialOptions(command, 'the key that the destination given with --to has too')
    .option('--plan <file>', 'follow the plan of this scenario: its link and its migration')
    .addOption(setOption())
    .addOption(
      new Option('--mode <mode>', "pull: pages in the plan's order; pass: in QEMU's own order")
        .choices(['pull', 'pass'])
        .default('pull'),
    )
    .option(
      '--target <target>',
      "plan for a target such as 'downtime<=200ms@0.99', move by that plan, and hold the move against the target; exit code 3 if there is no plan",
    )
    .option(
      '--rehearse <time>',
      'with --target, how long to read what the machine writes before it is planned (default: 5s)',
    )
    .option(
      '--journal <folder>',
      'write down here what is changed and how far it has come, for switchover recover',
    )
    .addOption(jsonOption('the record as one JSON object'))
    .addOption(wideOption())
    .addHelpText('after', HELP)
    .action(async (options: Options) =>
      exit(await interruptible((interrupted) => action(withMonitor(options), interrupted))),
    );
}

const HELP = `
QEMU 8.2 or later, unmodified, whoever started it. It sends its migration to
us, and we send it on: pages in the order of the plan, at its rates, and the
guest is stopped when the plan says so. The two QEMUs hand the machine over as
they always do, and the destination runs only once the source is done. Ctrl-C
cancels: the machine goes on at its source, with its settings as they were.

Disks must be on storage that both ends share. Without --plan, give at least
the rate: --set link.rate=1Gbit/s.

guest.reservation and sender.reservation of the plan hold for the thread of
each of the machine's processors, and for the thread that sends its migration:
by SCHED_DEADLINE, or where the kernel does not grant it by the bandwidth
control of control groups. Afterwards they are scheduled as before.`;

async function action(options: Options, interrupted: AbortSignal): Promise<number> {
  const { qmp, domain, journal, mode, json } = options;
  if (qmp === undefined) throw usageError('--qmp', 'either --qmp SOCKET or --domain NAME', undefined);
  const width = widthOf(options);
  const isText = json !== '-';
  const begins: MachineMigration['begins'] = ({ guest, plan }) => {
    if (!isText) return;
    const { rateBytesPerSecond: b, stopRateBytesPerSecond: stopRate } = plan;
    const rates = [b, stopRate].map((rate) => (rate === null ? 'unlimited' : formatRate(rate)));
    const what = `'${guest.name}', ${formatSize(guest.pages * guest.pageSizeBytes)} of memory`;
    print(
      folded(
        `${what}: ${mode === 'pull' ? `order ${plan.order}` : "QEMU's own order"}, stop rule ${plan.stop.rule}, b ${rates[0]}, b_d ${rates[1]}`,
        width,
      ),
    );
  };
  const asked = scenario(options);
  const destination = destinationOf(options);
  const promise = await promiseOf({ ...options, qmp }, asked, interrupted);
  if (interrupted.aborted) return 1;
  if (promise && !promise.feasible) {
    if (writeJson(json, () => planJson(promise, null))) print(planTable(asked.name, promise, null, width));
    return 3;
  }
  if (promise && isText) print(folded(promiseLines(promise).join('\n'), width));
  const record = await migrateMachine({
    ...{ qmp, journals: journal, mode, interrupted, begins, destination },
    ...(isText && { stepped: tellingRounds() }),
    scenario: promise ? chosenForMachine(asked, promise) : asked,
  });
  const lines = [
    ...told(record),
    ...(domain !== undefined && record.owner === 'destination' ? [afterwardsInLibvirt] : []),
  ];
  const answer = () => (promise ? { ...record, promise: promiseJson(promise, record) } : record);
  if (writeJson(json, answer)) {
    print(folded(lines.join('\n'), width));
    if (promise) print(heldTable(heldPromise(promise.target, record), width));
  }
  return record.outcome === 'completed' ? 0 : 1;
}

/** What is promised, if a target is given. @throws UsageError an option that has no meaning without one */
async function promiseOf(
  { qmp, target, rehearse }: Options & { readonly qmp: string },
  asked: Scenario,
  interrupted: AbortSignal,
) {
  if (target !== undefined)
    return planForMachine(asked, { qmp, target: targetOf(target), rehearse, interrupted });
  if (rehearse !== undefined) throw usageError('--rehearse', 'to be used together with --target', rehearse);
  return null;
}

/** @throws UsageError neither of both, or both */
function destinationOf({ to, toQmp, ...options }: Options): MachineMigration['destination'] {
  const expected = 'either --to HOST:PORT or --to-qmp SOCKET';
  if (toQmp !== undefined && to !== undefined) throw usageError('--to', expected, 'both');
  if (toQmp !== undefined) return () => LocalDestination.open(toQmp);
  if (to === undefined) throw usageError('--to', expected, undefined);
  const there = { ...parseAddress(to, '--to'), ...credentialsOf(options) };
  return (guest) => RemoteDestination.open(there, { guest, move: randomUUID() });
}

function scenario({ plan, set = [] }: Options): Scenario {
  if (plan !== undefined) return readScenario(scenarioFile(plan), set);
  if (set.length === 0) {
    throw usageError('--plan', 'a scenario with a plan, or at least --set link.rate=…', undefined);
  }
  return scenarioOf({}, { name: 'command line', file: undefined }, set);
}

/** A line for each round as it ends. */
function tellingRounds(): StepListener {
  let round = 0;
  let beganNs: Nanos = 0;
  let sentPages = 0;
  return (step, result) => {
    if (step.kind === 'track') beganNs = result.now;
    if (step.kind === 'send' && result.kind === 'sent') sentPages += result.sentPages;
    if (step.kind !== 'harvest' || result.kind !== 'dirty' || sentPages === 0) return;
    round += 1;
    print(`round ${round}: ${sentPages} pages in ${formatDuration(result.now - beganNs)}`);
    beganNs = result.now;
    sentPages = 0;
  };
}

/** What came of it, in a few lines. */
function told(record: MigrationRecord): readonly string[] {
  const { outcome, reason, owner, stop, downtimeNs, totalNs, verified, fidelity, notes } = record;
  const whose = {
    source: 'the machine is where it was',
    destination: 'the machine is at its destination',
    nobody: 'nobody runs the machine: switchover recover says whose it is',
  };
  const lines = [`${outcome}: ${reason}; ${whose[owner]}`];
  if (downtimeNs > 0) {
    lines.push(
      `stop: ${stop.pages} pages; downtime ${formatDuration(downtimeNs)}, total ${formatDuration(totalNs)}`,
    );
  }
  if (verified.memory !== 'not-checked') lines.push(`memory: ${verified.memory} while both stood still`);
  if (fidelity && downtimeNs > 0) {
    const { ruleToStopNs, unaskedPages, outOfPlacePages, deviceBytes } = fidelity;
    lines.push(
      `from the plan: stopped ${formatDuration(ruleToStopNs ?? 0)} after its rule said so; ${unaskedPages} pages unasked, ${outOfPlacePages} out of place; devices ${formatSize(deviceBytes)}`,
    );
  }
  return [...lines, ...(fidelity?.reservations ?? []).map(keptLine), ...notes];
}

function keptLine({ of, by, whyNot, threads, usedNs, windowNs, ...reservation }: KeptForThreads): string {
  const whose =
    of === 'sender' ? 'the migration' : threads === 1 ? 'the processor' : `each of ${threads} processors`;
  const used = windowNs > 0 ? `, used ${((100 * usedNs) / windowNs / threads).toFixed(1)} %` : '';
  const because = whyNot === null ? '' : ` (not by SCHED_DEADLINE: ${whyNot})`;
  return `${whose} had ${formatReservation(reservation)} by ${by}${used}${because}`;
}
