import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { Insist } from '../checked.ts';
import type { TaskSetFile, WrittenTask } from './task-set-file.ts';

type Attributes = Readonly<Record<string, string>>;

/**
 * SimSo's form (simso.configuration): tasks are elements without content, times in ms, and the name of the scheduler's
 * class says in whose order they run. Calls `insist` for what is wrong.
 */
export function readSimso(xml: string, insist: Insist): TaskSetFile {
  const text = xml.replace(/<!--[\s\S]*?(?:-->|$)/g, '');
  const [sched] = elementsOf(text, 'sched');
  const className = (sched?.className ?? sched?.class ?? 'EDF').split('.').at(-1)!.toUpperCase();
  const policy = policyOf(className, insist);
  const written = elementsOf(text, 'task').map((task, index) => readTask(task, index, insist));
  insist(written.length > 0, 'tasks', 'at least one task', undefined);
  const { duration = '0', cycles_per_ms: cyclesPerMs = '1000000' } = elementsOf(text, 'simulation')[0] ?? {};
  const horizonNs = (Number(duration) / Number(cyclesPerMs)) * NANOS_PER_MILLISECOND;
  const tasks = written.map((task): WrittenTask => {
    if (policy === 'edf') return { ...task, policy };
    const rank = policy === 'explicit' ? task.priority : -(policy === 'dm' ? task.deadlineNs : task.periodNs);
    return { ...task, policy: 'fixed-priority', priority: rank };
  });
  return {
    format: 'SimSo',
    tasks,
    reservation: null,
    processors: Math.max(1, elementsOf(text, 'processor').length),
    isPartitioned: className.startsWith('P_'),
    horizonNs: horizonNs > 0 ? horizonNs : null,
  };
}

/** `RM_MONO` → rm */
function policyOf(name: string, insist: Insist): 'edf' | 'rm' | 'dm' | 'explicit' {
  if (name.includes('EDF')) return 'edf';
  if (/^(P_|G_)?RM/.test(name)) return 'rm';
  if (/^(P_|G_)?DM/.test(name)) return 'dm';
  const isFixed = /^(P_|G_)?(FP|FIXED)/.test(name);
  insist(isFixed, 'sched', 'a scheduler whose name says EDF, RM, DM or FP', name);
  return 'explicit';
}

function readTask(task: Attributes, index: number, insist: Insist): Omit<WrittenTask, 'policy'> {
  const name = task.name ?? `task ${index + 1}`;
  const time = (key: string, least: Nanos, without?: Nanos): Nanos => {
    if ((task[key] ?? '') === '' && without !== undefined) return without;
    const ns = Math.round(Number(task[key] || 'nothing') * NANOS_PER_MILLISECOND);
    const isTime = Number.isSafeInteger(ns) && ns >= least;
    insist(isTime, `${name}.${key}`, least === 0 ? 'a time in ms' : 'a time in ms above 0', task[key]);
    return isTime ? ns : 1;
  };
  const periodic = ['Periodic', 'Sporadic'];
  const isPeriodic = periodic.includes(task.task_type ?? 'Periodic');
  insist(isPeriodic, `${name}.task_type`, periodic.join(' or '), task.task_type);
  const periodNs = time('period', 1);
  const deadlineNs = time('deadline', 1, periodNs);
  const workNs = time('WCET', 1);
  insist(deadlineNs <= periodNs, `${name}.deadline`, 'at most the period', task.deadline);
  insist(workNs <= deadlineNs, `${name}.WCET`, 'at most the deadline', task.WCET);
  const priority = Number(task.priority ?? 0);
  return { name, workNs, periodNs, deadlineNs, offsetNs: time('activationDate', 0, 0), priority };
}

/** The attributes of every element of this name. */
function elementsOf(xml: string, element: string): Attributes[] {
  const found = xml.matchAll(new RegExp(`<${element}\\s([^<>]*)>`, 'g'));
  return [...found].map(([, attributes]) =>
    Object.fromEntries(
      [...attributes!.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key, one, other]) => [
        key!,
        withoutEntities(one ?? other ?? ''),
      ]),
    ),
  );
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function withoutEntities(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name]!);
}
