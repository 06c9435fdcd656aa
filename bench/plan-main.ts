import { cpus } from 'node:os';
import { join } from 'node:path';
import { packageFolder } from '../src/platform/package.ts';
import { KeptRows } from './kept-rows.ts';
import { type CheckedPlan, checked, RUNS } from './planned-check.ts';
import { carriedOutForReal } from './planned-for-real.ts';
import { plannedScenarios } from './planned-scenarios.ts';
import { isKept, isTight, plannedTable } from './planned-table.ts';

/**
 * Whether plans keep what they promise, and are not merely generous: each of forty is carried out 200 times with seeds of
 * which it knows nothing, and as often with a tenth less of each reservation. `threads` and `vm` carry some of them out for real. What
 * was measured is kept in build/plans; an interrupted call goes on. Arguments: how a scenario's name begins; or `threads` or `vm`, and the profile of
 * a machine, if not that which comes with the program.
 */
const [what = '', profile = 'typical'] = process.argv.slice(2);
const kept = <Row>(name: string) =>
  new KeptRows<Row>(
    join(packageFolder, 'build/plans', `${name}.ndjson`),
    join(import.meta.dirname, '../src/study/plan'),
  );
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
if (what === 'threads' || what === 'vm')
  await carriedOutForReal(what, profile, kept(`${what}-plans`), kept(what));
else await carriedOutVirtually(kept('virtual'));
process.exit(0);

async function carriedOutVirtually(rows: KeptRows<CheckedPlan>): Promise<void> {
  const all: CheckedPlan[] = [];
  for (const scenario of plannedScenarios.filter(({ name }) => name.startsWith(what))) {
    // The same wherever the package lies.
    const subject = JSON.stringify(scenario).replaceAll(packageFolder, '');
    const row = await rows.of(subject, () => checked(scenario));
    all.push(row);
    console.log(lineOf(row));
  }
  console.log(`\n${plannedTable(all)}`);
}

function lineOf(row: CheckedPlan): string {
  const { name, target, reason, clauses, cuts, certified, cpuSeconds, seconds, load, migrations } = row;
  const took = `${cpuSeconds.toFixed(1)} s of processors, ${seconds.toFixed(1)} s at a load of ${load.toFixed(1)}, ${migrations} migrations`;
  if (reason !== null) return `${name}: ${target}: none: ${reason} (${took})`;
  const settings = row.settings.map(({ value }) =>
    typeof value === 'string' ? value : JSON.stringify(value),
  );
  return [
    `${name}: ${target}: ${settings.join(', ')}`,
    `  ${isKept(row) ? 'kept' : 'NOT KEPT'}: ${clauses.map(({ kept: of }) => `${of} of ${RUNS}`).join(', ')} (certified by ${certified}; ${took})`,
    `  ${isTight(row) ? 'tight' : 'NOT TIGHT'}: ${cuts.map(({ path, kept: of, isMissed, floor }) => `${path} ${isMissed ? 'missed' : (floor ?? 'still kept')} (${of} of ${RUNS})`).join(', ')}`,
  ].join('\n');
}
