import { formatDuration, formatRate } from '../../core/units.ts';
import { isObject, type Setting } from '../../scenario/settings.ts';
import { formatClause, formatTarget } from '../../scenario/target.ts';
import type { FeasiblePlan, InfeasiblePlan, PlanAnswer, Sensitivity } from '../plan/answer.ts';
import { amountText, reservedPaths } from '../plan/choice.ts';
import type { DeployedSettings } from '../plan/deployed-settings.ts';
import { folded } from './folded.ts';
import { plainTable } from './plain-table.ts';

const FRONT_ROWS = 6;

/** A plan as a person reads it in ten seconds. @param width of the terminal, if it is one */
export function planTable(
  name: string,
  answer: PlanAnswer,
  settings: DeployedSettings | null,
  width: number | undefined,
): string {
  const parts = answer.feasible
    ? feasible(name, answer, settings!, width)
    : [`${name}: ${asked(answer)}`, ...tasksOf(answer), `IMPOSSIBLE  ${answer.reason}`, ...leftOut(answer)];
  return folded(parts.join('\n'), width);
}

function feasible(
  name: string,
  answer: FeasiblePlan,
  settings: DeployedSettings,
  width: number | undefined,
): string[] {
  const { choice, certificate, downtimeNs, totalNs, front } = answer;
  return [
    `${name}: ${asked(answer)}`,
    ...tasksOf(answer),
    '',
    plainTable(['reserve', 'amount', 'with 10 % less'], reservations(answer), 3, width),
    `policy       ${choice.policy.map(policyText).join(', ') || 'as the scenario has it'}`,
    `expect       downtime ${formatDuration(downtimeNs)}, total ${formatDuration(totalNs)} (medians)`,
    ...certified(certificate),
    `cost         ${answer.choiceCost.toPrecision(3)} (${Object.entries(answer.cost)
      .map(([what, weight]) => `${what}=${weight}`)
      .join(', ')})`,
    '',
    `QMP          ${settings.qmp
      .map(
        ({ execute, arguments: given }) =>
          `${execute} ${Object.entries(given)
            .map(([key, value]) => `${key}=${value}`)
            .join(' ')}`,
      )
      .join('; ')}`,
    ...settings.virsh.map((line, index) => `${index === 0 ? 'virsh' : '     '}        ${line}`),
    `KubeVirt     ${Object.entries(settings.kubevirt.spec)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')}`,
    ...(front.length > 1 ? ['', ...frontOf(answer, width)] : []),
    ...leftOut(answer),
  ];
}

/** What is to be kept. */
function asked({ target }: PlanAnswer): string {
  return target.length === 0 ? 'the deadlines of its tasks' : formatTarget(target);
}

/** Of a target with several parts each has a probability, and so a bound, of its own. */
export function certified({ clauses, confidence }: FeasiblePlan['certificate']): string[] {
  const [only, ...others] = clauses;
  const sure = `with ${100 * confidence} % confidence`;
  if (others.length === 0) {
    const { kept, runs, lowerBound } = only!;
    return [
      `certificate  kept in ${kept} of ${runs} migrations with fresh seeds: in at least ${percent(lowerBound)} of all, ${sure}`,
    ];
  }
  return clauses.map(
    (clause, index) =>
      `${index === 0 ? 'certificate' : '           '}  ${formatClause(clause)}: kept in ${clause.kept} of ${clause.runs} with fresh seeds, at least ${percent(clause.lowerBound)} of all${index === clauses.length - 1 ? `; all of it ${sure}` : ''}`,
  );
}

function tasksOf({ tasks }: PlanAnswer): string[] {
  if (!tasks || tasks.longestStopNs === null) return [];
  const { longestStopNs, downtimeNs, task } = tasks;
  const limit = downtimeNs === null ? '' : `, so the downtime may be ${formatDuration(downtimeNs)}`;
  return [`tasks        may stand for ${formatDuration(longestStopNs)} before ${task} is late${limit}`];
}

function reservations({ choice, sensitivity, settings }: FeasiblePlan): string[][] {
  const timeout = settings.find(({ path }) => path === 'migration.timeout')?.value;
  const has = { 'sender.reservation': choice.sender, 'guest.reservation': choice.guest };
  return reservedPaths
    .filter((path) => path.startsWith('link.') || has[path as keyof typeof has] !== null)
    .map((path) => {
      const cut = sensitivity.find((one) => one.cut === path);
      return [
        path,
        amountText(choice, path),
        cut ? `${cutText(cut, timeout)}: ${cut.kept} of ${cut.runs} keep it` : '–',
      ];
    });
}

/** What a tenth less comes to. @param timeout the plan's own, for want of one in the scenario */
function cutText({ missed, incomplete, runs, kept, floor }: Sensitivity, timeout: unknown): string {
  if (!missed) return floor === null ? 'kept' : `kept (${floor})`;
  if (incomplete <= (runs - kept) / 2) return 'missed';
  return timeout === undefined ? 'not completed' : `not over in ${timeout}`;
}

/** By the model, and spread over all there are: what less of one costs of another. */
function frontOf({ front, choice }: FeasiblePlan, width: number | undefined): string[] {
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
    width,
  );
  return ['Also possible, by the model: none of these needs less of everything.', table];
}

function leftOut({ leftOut }: Pick<InfeasiblePlan, 'leftOut'>): string[] {
  return leftOut.length === 0 ? [] : ['', `left out     ${leftOut.join('; ')}`];
}

export function policyText({ path, value }: Setting): string {
  const name = path.replace('migration.', '');
  if (!isObject(value)) return `${name} ${value}`;
  const { rule, ...others } = value;
  const parts = Object.entries(others).map(([key, one]) => `${key} ${one}`);
  return [name, ...(rule === undefined || rule === 'rounds' ? [] : [rule]), ...parts].join(' ');
}

function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}
