import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../test/fixtures/free-port.ts';

/** A query of a panel, as it stands in a dashboard. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
}

interface Dashboard {
  readonly title: string;
  readonly panels: readonly {
    readonly title?: string;
    readonly targets?: readonly { readonly expr: string }[];
    readonly panels?: Dashboard['panels'];
  }[];
}

/** Every query of every panel, those in folded rows too. */
export function queriesOf({ title: dashboard, panels }: Dashboard): readonly PanelQuery[] {
  return panels.flatMap(({ title: panel = '', targets = [], panels: folded = [] }) => [
    ...targets.map(({ expr }) => ({ dashboard, panel, expr })),
    ...queriesOf({ title: dashboard, panels: folded }),
  ]);
}

/** As Grafana would send it: all instances, the last minutes, and an interval of four scrapes at least. */
export function substituted(expr: string): string {
  const values: Readonly<Record<string, string>> = {
    $instance: '.*',
    $__rate_interval: '30s',
    $__range: '5m',
  };
  const text = expr.replace(/\$(?:__rate_interval|__range|instance)/g, (variable) => values[variable]!);
  const left = /\$\w+/.exec(text);
  if (left) throw new Error(`${left[0]} in ${expr}: a variable that the dashboard does not have`);
  return text;
}

/** One series of a query over time; times are in s before now. */
export interface Course {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** A Prometheus in a process of its own that scrapes these addresses every second, with the project's rules. */
export class Prometheus {
  readonly #url: string;
  readonly #end: () => Promise<void>;

  private constructor(url: string, end: () => Promise<void>) {
    this.#url = url;
    this.#end = end;
  }

  static async start(targets: readonly string[]): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'switchover-prometheus-'));
    const file = join(folder, 'prometheus.yaml');
    writeFileSync(
      file,
      stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [resolve('dashboards/rules.yaml')],
        scrape_configs: [
          { job_name: 'switchover', static_configs: [{ targets }] },
          { job_name: 'switchover-node', metrics_path: '/metrics/node', static_configs: [{ targets }] },
        ],
      }),
    );
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const exited = once(child, 'exit');
    // Neither is left behind by a process that ends before it comes to `end`.
    const endAtOnce = () => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    };
    process.once('exit', endAtOnce);
    const end = async () => {
      process.off('exit', endAtOnce);
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    };
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, end);
    for (let tries = 0; ; tries++) {
      try {
        if ((await fetch(`http://127.0.0.1:${port}/-/ready`)).ok) return prometheus;
      } catch (cause) {
        if (tries > 150 || child.exitCode !== null) {
          await end();
          throw cause;
        }
      }
      await sleep(100);
    }
  }

  /** How many series a query returns now. @throws Error it is not a query */
  async series(expr: string): Promise<number> {
    return (await this.values(expr)).length;
  }

  /** The values of a query's series now, those that are not a number left out. */
  async values(
    expr: string,
  ): Promise<readonly { readonly labels: Record<string, string>; readonly value: number }[]> {
    const { result } = await this.#get<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>(`query?query=${encodeURIComponent(expr)}`);
    return result
      .map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
      .filter(({ value }) => !Number.isNaN(value));
  }

  /** The values of a query's series from `seconds` ago until now, by time in s. */
  async course(expr: string, seconds: number, stepSeconds: number): Promise<readonly Course[]> {
    const end = Date.now() / 1e3;
    const asked = new URLSearchParams({
      query: expr,
      start: String(end - seconds),
      end: String(end),
      step: String(stepSeconds),
    });
    const { result } = await this.#get<{
      result: { metric: Record<string, string>; values: [number, string][] }[];
    }>(`query_range?${asked}`);
    return result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([at, value]) => ({ at: at - end, value: Number(value) })),
    }));
  }

  /** The alerts and recording rules that it has loaded, by name, and whether they could be evaluated. */
  async rules(): Promise<readonly { readonly name: string; readonly health: string }[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string; health: string }[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  end(): Promise<void> {
    return this.#end();
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const said = (await answer.json()) as { status: string; error?: string; data: T };
    if (said.status !== 'success') throw new Error(said.error);
    return said.data;
  }
}

/**
 * Asks every query until it has returned data once, or the time is over.
 * @returns those that never did, each with why
 */
export async function withoutData(
  prometheus: Prometheus,
  queries: readonly PanelQuery[],
  patienceMs: number,
): Promise<readonly (PanelQuery & { readonly why: string })[]> {
  const untilMs = Date.now() + patienceMs;
  let left: (PanelQuery & { why: string })[] = queries.map((query) => ({ ...query, why: '' }));
  for (;;) {
    const still: typeof left = [];
    for (const query of left) {
      const why = await prometheus.series(substituted(query.expr)).then(
        (count) => (count > 0 ? undefined : 'no data'),
        (cause) => String(cause),
      );
      if (why !== undefined) still.push({ ...query, why });
    }
    left = still;
    if (left.length === 0 || Date.now() > untilMs) return left;
    await sleep(1_000);
  }
}

export const dashboardNames = ['migrations', 'reservations', 'guarantees', 'watched'] as const;

/** The dashboards as they are committed. */
export function committedQueries(): readonly PanelQuery[] {
  return dashboardNames.flatMap((name) =>
    queriesOf(JSON.parse(readFileSync(resolve(`dashboards/${name}.json`), 'utf8')) as Dashboard),
  );
}
