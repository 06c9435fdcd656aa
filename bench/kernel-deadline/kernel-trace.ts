import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TRACING = '/sys/kernel/tracing';

/** What the kernel did with a thread, in µs of the monotonic clock. */
export interface TracedEvent {
  readonly atUs: number;
  /** `waking`: it was asleep. `out`: it was taken off its processor, though it had work. `sleeps`: it has none. */
  readonly kind: 'waking' | 'in' | 'out' | 'sleeps';
  readonly thread: number;
}

/** The kernel's own record of these threads (Documentation/trace/events.rst), in a buffer of its own. */
export class KernelTrace {
  readonly #folder = join(TRACING, 'instances', `switchover-${randomUUID()}`);

  constructor(threads: readonly number[]) {
    mkdirSync(this.#folder);
    const any = (...fields: string[]) =>
      fields.flatMap((field) => threads.map((thread) => `${field}==${thread}`)).join('||');
    this.#write('trace_clock', 'mono');
    this.#write('buffer_size_kb', '4096');
    this.#write('events/sched/sched_switch/filter', any('prev_pid', 'next_pid'));
    this.#write('events/sched/sched_waking/filter', any('pid'));
    for (const event of ['sched_switch', 'sched_waking']) this.#write(`events/sched/${event}/enable`, '1');
  }

  /** All that was traced of these threads, in the order of time. */
  read(threads: readonly number[]): readonly TracedEvent[] {
    const events: TracedEvent[] = [];
    for (const line of readFileSync(join(this.#folder, 'trace'), 'utf8').split('\n')) {
      const [, at, name, fields] = /\s(\d+\.\d+): (sched_\w+): (.*)$/.exec(line) ?? [];
      if (fields === undefined) continue;
      const atUs = Math.round(Number(at) * 1e6);
      const field = (key: string) => new RegExp(`\\b${key}=(\\S+)`).exec(fields)?.[1];
      const tell = (kind: TracedEvent['kind'], thread: number) => {
        if (threads.includes(thread)) events.push({ atUs, kind, thread });
      };
      if (name === 'sched_waking') tell('waking', Number(field('pid')));
      else {
        tell(field('prev_state')!.startsWith('R') ? 'out' : 'sleeps', Number(field('prev_pid')));
        tell('in', Number(field('next_pid')));
      }
    }
    return events;
  }

  end(): void {
    for (const event of ['sched_switch', 'sched_waking']) this.#write(`events/sched/${event}/enable`, '0');
    rmdirSync(this.#folder);
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }
}

const CPUSET = '/sys/fs/cgroup/cpuset';

/** A processor of its own, with its own deadlines: where a thread is bound to one that others share, the kernel refuses it a deadline. */
export class OwnProcessor {
  readonly tasks: string;
  readonly #folder = join(CPUSET, `switchover-${randomUUID()}`);

  constructor(processor: number) {
    mkdirSync(this.#folder);
    this.tasks = join(this.#folder, 'tasks');
    writeFileSync(join(this.#folder, 'cpuset.cpus'), String(processor));
    writeFileSync(join(this.#folder, 'cpuset.mems'), '0');
    writeFileSync(join(this.#folder, 'cpuset.cpu_exclusive'), '1');
    writeFileSync(join(CPUSET, 'cpuset.sched_load_balance'), '0');
  }

  /** Its threads have ended; the kernel forgets them a moment later. */
  async end(): Promise<void> {
    writeFileSync(join(CPUSET, 'cpuset.sched_load_balance'), '1');
    while (readFileSync(this.tasks, 'utf8') !== '') await sleep(10);
    rmdirSync(this.#folder);
  }
}
