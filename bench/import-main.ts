import { basename } from 'node:path';
import { type JudgedRun, judged, logsBelow, replayed } from './imported-runs.ts';

/**
 * Logs of real pre-copy migrations, in a folder for each scenario: what `predict --from` says early on beside what came, and
 * what the scenarios that `import` writes do. Those that end with their load did not end by themselves.
 */
const [folder = 'test/fixtures/import/qemu-ycsb', only = '^(Precopy|Autoconverge)'] = process.argv.slice(2);
const logs = logsBelow(folder).filter(({ scenario }) => new RegExp(only).test(scenario));

for (const syncs of [1, 2]) {
  console.log(
    `\nOnce ${syncs} dirty ${syncs === 1 ? 'sync has' : 'syncs have'} told what the guest wrote (QEMU's dirty-sync-count ${syncs + 1}):`,
  );
  const runs = logs.flatMap(({ scenario, file }) => judged(scenario, file, syncs) ?? []);
  for (const run of runs) {
    const { scenario, file, withinMinute, totalRatio, downtimeRatio, totalNs } = run;
    const ratio = (value: number | null) => value?.toFixed(3) ?? '–';
    console.log(
      `  ${scenario} ${basename(file)}: ${(totalNs / 1e9).toFixed(1)} s; within 60 s with p = ${withinMinute.predicted.toFixed(2)} ${withinMinute.isRight ? 'right' : 'WRONG'}; total × ${ratio(totalRatio)}, downtime × ${ratio(downtimeRatio)}`,
    );
  }
  summary(runs);
}

console.log('\nThe scenarios that import writes, in virtual time:');
for (const { scenario, file } of logs) {
  const { totalRatio, bytesRatio } = replayed(file);
  console.log(
    `  ${scenario} ${basename(file)}: total × ${totalRatio.toFixed(3)}, bytes × ${bytesRatio.toFixed(3)}`,
  );
}

function summary(runs: readonly JudgedRun[]): void {
  const right = runs.filter(({ withinMinute }) => withinMinute.isRight).length;
  const errors = runs
    .filter(({ totalNs }) => totalNs <= 60e9)
    .flatMap(({ totalRatio }) => (totalRatio === null ? [] : [Math.abs(totalRatio - 1)]))
    .sort((one, other) => one - other);
  const ratios = runs.flatMap(({ downtimeRatio }) => downtimeRatio ?? []);
  const near = ratios.filter((ratio) => ratio >= 0.5 && ratio <= 2).length;
  const high = errors[Math.ceil(0.9 * errors.length) - 1];
  console.log(
    `  within 60 s: right in ${right} of ${runs.length}; 90th percentile of the total's error where it ends within 60 s: ${high === undefined ? '–' : `${(100 * high).toFixed(1)} %`}; downtime within a factor of 2 in ${near} of ${ratios.length}, with the b_d of each run`,
  );
}
