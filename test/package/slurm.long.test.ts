import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main, root, switchover } from '../fixtures/command.ts';
import { noSlurm, processOf, SlurmCluster } from '../fixtures/slurm.ts';
import { until } from '../fixtures/until.ts';

/** One run of each. `CELLS=10000` takes some minutes. */
const CELLS = Number(process.env.CELLS ?? 2000);
const scenario = `
guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
compare: { migration.order: [address, lru] }
sweep:
  grid:
    migration.stop.rounds: { from: 1, to: 5, steps: 5 }
    link.stopRate: { from: 10Mbit/s, to: 1Gbit/s, steps: ${CELLS / 10}, scale: log }
runs: 1
`;
const SHARDS = 8;
/** The runs of one shard. */
const OWN = CELLS / SHARDS;

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
  return (await explained(until('a shard is at work', () => shards.find(atWork), Boolean, 60_000)))!;
}

describe.skipIf(noSlurm)('a sweep as an array of Slurm', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchover-slurm-'));
    for (const name of ['slurm', 'bin', 'results', 'logs']) mkdirSync(at(name));
    writeFileSync(at('scenario.yaml'), scenario);
    // As npm installs it: a command.
    const command = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
    writeFileSync(at('bin', 'switchover'), command, { mode: 0o755 });
    expect(await switchover('sweep', at('scenario.yaml'), '--out', at('whole'))).toMatchObject({ code: 0 });
    cluster = await SlurmCluster.start(at('slurm'));
  }, 240_000);
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
    await until(
      'the task is queued again',
      () => taskOf(killed)?.restarts,
      (times) => times === 1,
    );
    expect(recordsOf(killed)).toBeLessThan(OWN);

    const lost = await shardAtWork((shard) => shard !== killed && taskOf(shard)?.state === 'RUNNING');
    const { node } = taskOf(lost)!;
    await cluster.killNode(node);
    await until(
      'nothing runs on it',
      () => processOf(lost, 'sweep'),
      (pid) => pid === undefined,
    );
    expect(recordsOf(lost)).toBeLessThan(OWN);

    // What is there can be reported meanwhile.
    const before = linesOf(at('results')).length;
    const reported = await switchover('report', at('results'), '--json', '-');
    expect(reported).toMatchObject({ code: 0, stderr: '' });
    const { records } = JSON.parse(reported.stdout);
    expect(records).toBeGreaterThanOrEqual(before);
    expect(records).toBeLessThan(CELLS);

    await until(
      'its tasks are queued again',
      () => taskOf(lost)?.restarts,
      (times) => times === 1,
      60_000,
    );
    cluster.startNode(node);
    const isDone = () => cluster.tasks(job).every(({ state }) => state === 'COMPLETED');
    await explained(until('all tasks have completed', isDone, Boolean, 240_000));
    expect(linesOf(at('results'))).toEqual(linesOf(at('whole')));
    const { stdout } = await switchover('sweep', at('scenario.yaml'), '--out', at('results'));
    expect(stdout).toContain(`${CELLS} runs, ${CELLS} of them from an earlier run`);
  }, 600_000);
});

/** If it does not come about, what the tasks said. */
async function explained<T>(awaited: Promise<T>): Promise<T> {
  return awaited.catch((cause) => {
    const said = readdirSync(at('logs')).map((name) => readFileSync(at('logs', name), 'utf8').slice(-1000));
    throw new Error([cause, ...said].join('\n'));
  });
}
