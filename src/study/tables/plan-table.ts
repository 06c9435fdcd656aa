import { formatDuration, formatRate } from '../../core/units.ts';
import { shown } from '../../platform/problem.ts';
import { formatTarget } from '../../scenario/target.ts';
import type { FeasiblePlan, InfeasiblePlan, PlanAnswer } from '../plan/answer.ts';
import { amountText, type Choice, reservedPaths } from '../plan/choice.ts';
import type { DeployedSettings } from '../plan/deployed-settings.ts';
import { folded, plainTable } from './plain-table.ts';

const WIDTH = 80;
const FRONT_ROWS = 6;

/** A plan as a person reads it in ten seconds, within the width of a terminal. */
export function planTable(name: string, answer: PlanAnswer, settings: DeployedSettings | null): string {
  const parts = answer.feasible
    ? feasible(name, answer, settings!)
    : [`${name}: ${formatTarget(answer.target)}`, ...tasksOf(answer), `IMPOSSIBLE  ${answer.reason}`, ...leftOut(answer)];
  return folded(parts.join('\n'), WIDTH);
}

function feasible(name: string, answer: FeasiblePlan, settings: DeployedSettings): string[] {
  const { choice, certificate, downtimeNs, totalNs, front } = answer;
  const { runs, kept, lowerBound, confidence } = certificate;
  return [
    `${name}: ${formatTarget(answer.target)}`,
    ...tasksOf(answer),
    '',
    plainTable(['reserve', 'amount', 'with 10 % less'], reservations(answer), 3, WIDTH),
    `policy       ${choice.policy.map(({ path, value }) => `${path.replace('migration.', '')} ${policyText(value)}`).join(', ') || 'as the scenario has it'}`,
    `expect       downtime ${formatDuration(downtimeNs)}, total ${formatDuration(totalNs)} (medians)`,
    `certificate  kept in ${kept} of ${runs} migrations with fresh seeds: in at least ${percent(lowerBound)} of all, with ${100 * confidence} % confidence`,
    `cost         ${answer.choiceCost.toPrecision(3)} (${Object.entries(answer.cost).map(([what, weight]) => `${what}=${weight}`).join(', ')})`,
    '',
    `QMP          ${settings.qmp.map(({ execute, arguments: given }) => `${execute} ${Object.entries(given).map(([key, value]) => `${key}=${value}`).join(' ')}`).join('; ')}`,
    ...settings.virsh.map((line, index) => `${index === 0 ? 'virsh' : '     '}        ${line}`),
    `KubeVirt     ${Object.entries(settings.kubevirt.spec).map(([key, value]) => `${key}: ${value}`).join(', ')}`,
    ...(front.length > 1 ? ['', ...frontOf(answer)] : []),
    ...leftOut(answer),
  ];
}

function tasksOf({ tasks }: PlanAnswer): string[] {
  if (!tasks || tasks.longestStopNs === null) return [];
  const { longestStopNs, downtimeNs, task } = tasks;
  const limit = downtimeNs === null ? '' : `, so the downtime may be ${formatDuration(downtimeNs)}`;
  return [`tasks        may stand for ${formatDuration(longestStopNs)} before ${task} is late${limit}`];
}

function reservations({ choice, sensitivity }: FeasiblePlan): string[][] {
  const has = { 'sender.reservation': choice.sender, 'guest.reservation': choice.guest };
  return reservedPaths
    .filter((path) => path.startsWith('link.') || has[path as keyof typeof has] !== null)
    .map((path) => {
      const cut = sensitivity.find((one) => one.cut === path);
      return [path, amountText(choice, path), cut ? `${cut.missed ? 'missed' : 'kept'}: ${cut.kept} of ${cut.runs} keep it` : '–'];
    });
}

/** By the model, and spread over all there are: what less of one costs of another. */
function frontOf({ front, choice }: FeasiblePlan): string[] {
  const rows = Array.from({ length: Math.min(FRONT_ROWS, front.length) }, (_, index) => {
    const step = (front.length - 1) / Math.max(1, Math.min(FRONT_ROWS, front.length) - 1);
    return front[Math.round(index * step)]!;
  });
  const hasSender = choice.sender !== null;
  const table = plainTable(
    ['b', 'b_d', ...(hasSender ? ['sender'] : []), 'total', 'cost'],
    rows.map(({ choice: one, totalNs, cost }) => [
      formatRate(one.rate),
      formatRate(one.stopRate ?? one.rate),
      ...(hasSender ? [amountText(one, 'sender.reservation')] : []),
      formatDuration(totalNs),
      cost.toPrecision(3),
    ]),
    0,
    WIDTH,
  );
  return ['Also possible, by the model: none of these needs less of everything.', table];
}

function leftOut({ leftOut }: Pick<InfeasiblePlan, 'leftOut'>): string[] {
  return leftOut.length === 0 ? [] : ['', `left out     ${leftOut.join('; ')}`];
}

function policyText(value: unknown): string {
  const object = value as Choice['policy'] | null;
  if (typeof object !== 'object' || object === null) return String(value);
  return Object.entries(object)
    .map(([key, one]) => `${key} ${typeof one === 'object' ? shown(one) : one}`)
    .join(' ');
}

function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}
