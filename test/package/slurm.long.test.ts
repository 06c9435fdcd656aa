import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main, root, switchover } from '../fixtures/command.ts';
import { noSlurm, processOf, SlurmCluster } from '../fixtures/slurm.ts';
import { until } from '../fixtures/until.ts';

/** 10,000 cells, one run each. */
const scenario = `
guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
compare: { migration.order: [address, lru] }
sweep:
  grid:
    migration.stop.rounds: { from: 1, to: 5, steps: 5 }
    link.stopRate: { from: 10Mbit/s, to: 1Gbit/s, steps: 1000, scale: log }
runs: 1
`;
const SHARDS = 8;
const OWN = 10_000 / SHARDS;

let folder: string;
let cluster: SlurmCluster;
const at = (...names: string[]) => join(folder, ...names);

/** All records of a folder, as text, in an order of their own. */
function linesOf(out: string): readonly string[] {
  return readdirSync(out)
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => readFileSync(join(out, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .sort();
}

/** How many whole records a shard has written. */
function recordsOf(shard: number): number {
  try {
    const text = readFileSync(at('results', `records-${shard}-of-${SHARDS}.ndjson`), 'utf8');
    return text.split('\n').length - 1;
  } catch {
    return 0;
  }
}

/** Waits until a shard that satisfies this has begun to write and is not nearly done. */
async function shardAtWork(isOne: (shard: number) => boolean): Promise<number> {
  const shards = Array.from({ length: SHARDS }, (_, index) => index + 1);
  const atWork = (shard: number) => recordsOf(shard) > 0 && recordsOf(shard) < OWN / 2 && isOne(shard);
  return (await until('a shard is at work', () => shards.find(atWork), Boolean, 120_000))!;
}

describe.skipIf(noSlurm)('a sweep as an array of Slurm', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchover-slurm-'));
    for (const name of ['slurm', 'bin', 'results', 'logs']) mkdirSync(at(name));
    writeFileSync(at('scenario.yaml'), scenario);
    symlinkSync(main, at('bin', 'switchover'));
    expect(await switchover('sweep', at('scenario.yaml'), '--out', at('whole'))).toMatchObject({ code: 0 });
    cluster = await SlurmCluster.start(at('slurm'));
  });
  afterAll(async () => {
    await cluster?.end();
    rmSync(folder, { recursive: true });
  });

  test('of which a process and a node are killed, comes to the records of one process, byte for byte', async () => {
    cluster.environment.PATH = `${at('bin')}:${process.env.PATH}`;
    const job = cluster.submit(
      ...[`--array=1-${SHARDS}`, `--chdir=${root}`, `--output=${at('logs')}/%a.txt`, '--open-mode=append'],
      ...['deploy/sweep-slurm.sh', at('scenario.yaml'), at('results')],
    );
    const taskOf = (shard: number) => cluster.tasks(job).find(({ task }) => task === shard);

    const killed = await shardAtWork((shard) => processOf(shard, 'sweep') !== undefined);
    process.kill(processOf(killed, 'sweep')!, 'SIGKILL');
    await until('the task is queued again', () => taskOf(killed)?.restarts, (times) => times === 1);
    expect(recordsOf(killed)).toBeLessThan(OWN);

    const lost = await shardAtWork((shard) => shard !== killed && taskOf(shard)?.state === 'RUNNING');
    const { node } = taskOf(lost)!;
    await cluster.killNode(node);
    expect(recordsOf(lost)).toBeLessThan(OWN);
    expect(processOf(lost, 'sweep')).toBeUndefined();

    // What is there can be reported meanwhile.
    const before = linesOf(at('results')).length;
    const reported = await switchover('report', at('results'), '--json', '-');
    expect(reported).toMatchObject({ code: 0, stderr: '' });
    const { records } = JSON.parse(reported.stdout);
    expect(records).toBeGreaterThanOrEqual(before);
    expect(records).toBeLessThan(10_000);

    await until('its tasks are queued again', () => taskOf(lost)?.restarts, (times) => times === 1, 60_000);
    cluster.startNode(node);
    const isDone = () => cluster.tasks(job).every(({ state }) => state === 'COMPLETED');
    await until('all tasks have completed', isDone, Boolean, 180_000).catch((cause) => {
      throw new Error(`${cause}\n${JSON.stringify(cluster.tasks(job))}\n${logs()}`);
    });
    expect(linesOf(at('results'))).toEqual(linesOf(at('whole')));
    const { stdout } = await switchover('sweep', at('scenario.yaml'), '--out', at('results'));
    expect(stdout).toContain('10000 runs, 10000 of them from an earlier run');
  }, 600_000);
});

function logs(): string {
  return spawnSync('tail', ['-n', '20', ...readdirSync(at('logs')).map((name) => at('logs', name))]).stdout.toString();
}
