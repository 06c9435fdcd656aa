import type { Antagonist } from '../../core/antagonist.ts';
import { formatReservation, type Reservation } from '../../core/cpu/reservation.ts';
import { formatDuration, formatRate, formatSize } from '../../core/units.ts';
import type { LinkShare } from '../../scenario/fleet.ts';
import type { Experiment, ScenarioCell } from '../../scenario/scenario.ts';

/**
 * All settings of the first cell of an experiment, including defaults.
 * @param areMost its runs are the most, and there may be fewer
 */
export function scenarioSummary(experiment: Experiment, areMost = false): string {
  const cell = experiment.cells[0]!;
  const { guest, plan, antagonists, share } = cell;
  const rate = (value: number | null) =>
    plan.isElastic ? 'elastic' : value === null ? 'unlimited' : formatRate(value);
  const { stateBytes = 0, timeNs = 0 } = guest.device ?? {};
  const cells = experiment.cells.length;
  return [
    `${experiment.name}: ${experiment.describe}`,
    `  guest      ${guest.name}: ${guest.program.kind}, ${guest.pages} pages × ${formatSize(guest.pageSizeBytes)} = ${formatSize(guest.pages * guest.pageSizeBytes)}, heartbeat every ${formatDuration(guest.heartbeatPeriodNs)}`,
    ...(guest.device
      ? [`  device     ${formatSize(stateBytes)} and ${formatDuration(timeNs)} at every stop`]
      : []),
    `  link       b ${rate(plan.rateBytesPerSecond)}, b_d ${rate(plan.stopRateBytesPerSecond)}, bucket ${formatSize(plan.depthBytes)} deep, ${plan.pageBytes - guest.pageSizeBytes} bytes of header per page`,
    ...(share ? [`  shared     ${sharing(share, plan.isElastic ?? false)}`] : []),
    `  migration  ${policy(cell)}`,
    `  cpu        ${processors(cell)}`,
    ...(antagonists.length > 0 ? [`  background ${antagonists.map(antagonistInWords).join('; ')}`] : []),
    `  ${cells === 1 ? 'one cell' : `${cells} cells (the first is shown)`} × ${areMost ? 'at most ' : ''}${experiment.runs} ${experiment.runs === 1 ? 'run' : 'runs'}, seeds from ${experiment.seed}`,
  ].join('\n');
}

function sharing({ link, changes, queueTimeoutNs, ...share }: LinkShare, isElastic: boolean): string {
  return [
    `${link} of ${formatRate(share.capacityBytesPerSecond)}`,
    ...changes.map(({ capacityBytesPerSecond: capacity, atNs }) => {
      return `${capacity === 0 ? 'an outage' : formatRate(capacity)} after ${formatDuration(atNs)}`;
    }),
    `starts after ${formatDuration(share.atNs)}`,
    `priority ${share.priority}`,
    ...(isElastic
      ? ['has an equal part of what reservations leave']
      : [
          queueTimeoutNs === null ? 'waits without limit' : `waits at most ${formatDuration(queueTimeoutNs)}`,
          `gives up below ${formatRate(share.leastBytesPerSecond)}`,
        ]),
  ].join(', ');
}

function processors({ cpu, guest }: ScenarioCell): string {
  const reserved = (reservation: Reservation | null) =>
    reservation ? formatReservation(reservation) : 'no reservation';
  return [
    `scheduler ${cpu.scheduler}`,
    `guest ${reserved(cpu.guest)}${guest.cpuPerWriteNs > 0 ? ` (${formatDuration(guest.cpuPerWriteNs)} per write)` : ''}`,
    `sender ${reserved(cpu.sender)}${cpu.cpuPerPageNs > 0 ? ` (${formatDuration(cpu.cpuPerPageNs)} per page)` : ''}${cpu.cpuPerHandoverNs > 0 ? ` (${formatDuration(cpu.cpuPerHandoverNs)} for the hand-over)` : ''}`,
    ...(cpu.scheduler === 'none' && cpu.hogs === 0
      ? []
      : [`${cpu.processors} ${cpu.processors === 1 ? 'processor' : 'processors'}`]),
    ...(cpu.hogs > 0 ? [`${cpu.hogs} hogs`] : []),
    ...(cpu.reclaim ? ['unused budgets reclaimed'] : []),
  ].join(', ');
}

function policy({ plan }: ScenarioCell): string {
  const { rule, ...parameters } = plan.stop;
  const stop = `${rule} (${Object.entries(parameters)
    .map(([name, value]) => parameter(name, value))
    .join(', ')})`;
  const watch = `${plan.heat} heat, observed for ${formatDuration(plan.observeNs)} in windows of ${formatDuration(plan.windowNs)}, half-life ${formatDuration(plan.halfLifeNs)}`;
  const clear = typeof plan.clear === 'string' ? plan.clear : `chunk(${plan.clear.chunkPages})`;
  return [
    `order ${plan.order} (${watch})`,
    plan.defer ? `defer ${Object.entries(plan.defer).flat().join(' ')}` : 'defer nothing',
    `clear by ${clear}${plan.skip ? ', skip pages that are dirty again' : ''}`,
    `stop rule ${stop}${plan.timeoutNs === null ? '' : `, ${plan.onTimeout === 'stop' ? 'stop' : 'give up'} after ${formatDuration(plan.timeoutNs)}`}`,
    `pause at most ${formatDuration(plan.stopTimeoutNs)}`,
    `verify ${plan.verify}`,
  ].join(', ');
}

/** `link-drop (every 1 s, length 200 ms, 0 bit/s)` */
function antagonistInWords({ kind, ...intensity }: Antagonist): string {
  const words = Object.entries(intensity).map(([name, value]) => {
    if (name === 'bytesPerSecond') return formatRate(value);
    return name === 'bytes' ? formatSize(value) : parameter(name, value);
  });
  return `${kind} (${words.join(', ')})`;
}

function parameter(name: string, value: unknown): string {
  return name.endsWith('Ns')
    ? `${name.replace(/Ns$/, '')} ${formatDuration(value as number)}`
    : `${name} ${value}`;
}
