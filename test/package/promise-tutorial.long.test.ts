import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prometheus } from '../../dashboards/check.ts';
import { type DrawnDashboard, drawn } from '../../dashboards/drawing.ts';
import { DaemonPage } from '../fixtures/daemon-page.ts';
import { has } from '../fixtures/daemons.ts';
import { InstalledPackage } from '../fixtures/installed-package.ts';

const pictures = resolve(import.meta.dirname, '../../build/screenshots');
const canBeSeen = has('/usr/bin/chromium');
const canBeCounted = has('prometheus');
/** A plan takes seconds, and on a busy machine minutes. */
const PATIENCE = { timeout: 400_000 };

/** One shell in which a tutorial's blocks are run one after the other. It ends at the first command that fails. */
class Shell {
  readonly #child: ChildProcess;
  readonly exited: Promise<unknown>;
  output = '';

  constructor(cwd: string) {
    this.#child = spawn('bash', ['-e', '-o', 'pipefail', '-s'], { cwd, detached: true });
    this.exited = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (text: Buffer) => {
        this.output += text;
      });
  }

  /** @returns what it printed @throws Error a command failed */
  async run(block: string): Promise<string> {
    const from = this.output.length;
    this.#child.stdin!.write(`${block}\necho "[done]"\n`);
    const isDone = () => this.output.endsWith('[done]\n') && this.output.length > from;
    await Promise.race([expect.poll(isDone, PATIENCE).toBe(true), this.exited]);
    if (!isDone()) throw new Error(`${block}\nended with ${this.#child.exitCode}: ${this.output}`);
    return this.output.slice(from, -'[done]\n'.length);
  }

  /** With all that it has started. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      process.kill(-this.#child.pid!, 'SIGKILL');
    await this.exited;
  }
}

describe('the tutorial of a promise', { timeout: 600_000 }, () => {
  let npmPackage: InstalledPackage;
  let shell: Shell;
  let prometheus: Prometheus | undefined;
  let opened: DaemonPage | undefined;
  /** Those that are not run yet. */
  let blocks: string[];
  let address: string;

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    npmPackage = new InstalledPackage();
    const all = await npmPackage.commandsOf('docs/tutorial-promise.md', ['7070', '7171', '7272']);
    blocks = [...all];
    shell = new Shell(npmPackage.home);
  }, 600_000);
  afterAll(async () => {
    await opened?.end();
    await prometheus?.end();
    await shell?.end();
    npmPackage?.end();
  });

  const next = () => shell.run(blocks.shift()!);
  const picture = (name: string) => join(pictures, `tutorial-promise-${name}.png`);
  const section = (id: string) => opened!.page.locator(`#${id}`);

  /** From the head of a migration's page to what was promised. */
  async function promise(name: string): Promise<void> {
    const { x, y, width } = (await section('detail').boundingBox())!;
    const below = await section('detail').getByRole('heading', { name: 'Rounds' }).boundingBox();
    const clip = { x, y, width, height: below!.y - y };
    await opened!.page.screenshot({ path: picture(name), clip, fullPage: true });
  }

  /** Fills in what is to be kept, and presses this. */
  async function asked(guest: string, target: string, verb: string): Promise<void> {
    const { page } = opened!;
    await page.getByRole('button', { name: `Migrate ${guest}`, exact: true }).click();
    await page.getByLabel(/^target/).fill(target);
    await page.getByLabel('over the link').selectOption('lan');
    await section('dialog').getByRole('button', { name: verb, exact: true }).click();
  }

  test('shows that a stop of a quarter of a second is late, and for how long the guest may stand', async () => {
    expect(await next()).toMatch(/control +16 +5000 +5000 +0/);
    const stopped = await next();
    const { home } = npmPackage;
    await next();
    expect(readFileSync(join(home, 'here.yaml'), 'utf8')).toContain('switchover.machine/1');
    expect(stopped).toMatch(/control +4 +255 +[\d.]+ +1\n/);
    copyFileSync(join(home, 'stop.svg'), join(pictures, 'tutorial-promise-stop.svg'));
    expect(await next()).toContain('tasks        may stand for 227 ms before control is late');
    const { feasible, target, certificate } = JSON.parse(readFileSync(join(home, 'plan.json'), 'utf8'));
    expect(feasible).toBe(true);
    expect(target.map(({ metric }: { metric: string }) => metric)).toEqual(['downtime', 'total']);
    expect(certificate.clauses[0].lowerBound).toBeGreaterThanOrEqual(0.99);
  });

  test('starts a daemon whose page asks for a target', async () => {
    expect(await next()).toContain('{"ready":true}');
    const log = readFileSync(join(npmPackage.home, 'alpha.log'), 'utf8');
    const [, ...others] = ['alpha', 'beta'].map((name) =>
      /listening on (\S+)/.exec(readFileSync(join(npmPackage.home, `${name}.log`), 'utf8')),
    );
    address = /listening on (\S+)/.exec(log)![1]!;
    if (canBeCounted) prometheus = await Prometheus.start([address, others[0]![1]!]);
    if (!canBeSeen) return;
    opened = await DaemonPage.open({ address });
    // Its dry run is the same plan as below, with a sender that costs CPU time: too long for a test.
    await asked('controller', 'downtime<=221ms@0.99, total<=3s@0.95', 'Close');
  });

  test('has it admitted, carried out, held against its target and counted', async () => {
    expect(await next()).toContain('"link.rate"');
    const held = await next();
    const [, downtime, total] =
      /"metric":"downtime".*?"kept":(true|false).*"metric":"total".*?"kept":(true|false)/.exec(held)!;
    for (const [metric, kept] of Object.entries({ downtime, total })) {
      expect(held).toContain(`switchover_target_kept_total{metric="${metric}"} ${kept === 'true' ? 1 : 0}`);
      expect(held).toContain(`switchover_target_missed_total{metric="${metric}"} ${kept === 'true' ? 0 : 1}`);
    }
    expect(held).toContain('switchover_target_expected_misses_total{metric="downtime"} 0.01');
  });

  test.runIf(canBeSeen)('shows it on the page, on a phone too', async () => {
    const { page } = opened!;
    await section('migrations').getByRole('link', { name: 'controller → beta' }).first().click();
    await section('detail').getByRole('heading', { name: 'Target', exact: true }).waitFor();
    await section('detail').getByText('Certificate:').waitFor();
    await promise('kept');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 1000 });
    await promise('kept-phone');
    await opened!.isClean('tutorial-promise-migration');
    expect(opened!.complaints).toEqual([]);
    await page.evaluate<void>('location.hash = "#/"');
  });

  test.runIf(canBeSeen && canBeCounted)('shows it on the dashboard', async () => {
    const counted =
      'sum(increase(switchover_target_kept_total[5m])) + sum(increase(switchover_target_missed_total[5m]))';
    const increase = async () => (await prometheus!.values(counted))[0]?.value ?? 0;
    await expect.poll(increase, PATIENCE).toBeGreaterThan(0);
    const dashboard = JSON.parse(
      readFileSync(join(npmPackage.installed, 'dashboards/guarantees.json'), 'utf8'),
    ) as DrawnDashboard;
    const [first, second] = dashboard.panels.flatMap(({ type }, index) => (type === 'row' ? [index] : []));
    const html = await drawn(prometheus!, { ...dashboard, panels: dashboard.panels.slice(first, second) });
    expect(html).not.toContain('no data');
    const page = await opened!.page.context().browser()!.newPage();
    await page.setViewportSize({ width: 1440, height: 760 });
    await page.setContent(html);
    await page.screenshot({ path: picture('dashboard'), fullPage: true });
    await page.close();
  });

  test.runIf(canBeSeen)('shows on the page too why something else cannot be promised', async () => {
    await asked('archive', 'total<=2s@0.95', 'Migrate');
    await section('dialog')
      .getByText(/one copy of the memory/)
      .waitFor(PATIENCE);
    await section('dialog').screenshot({ path: picture('refused') });
    await section('dialog').getByRole('button', { name: 'Close', exact: true }).click();
  });

  test('refuses it with 422 and the bound, and leaves nothing running', async () => {
    const refused = await next();
    expect(refused).toMatch(/ 422\n$/);
    expect(refused).toContain('one copy of the memory, 32.1 MiB, needs');
    await next();
    expect(blocks).toEqual([]);
    await expect(fetch(`http://${address}/readyz`)).rejects.toThrow();
    expect(existsSync(join(npmPackage.home, 'alpha-state'))).toBe(true);
  });
});
