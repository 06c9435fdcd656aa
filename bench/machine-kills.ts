import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../src/core/random.ts';
import { packageFolder } from '../src/platform/package.ts';
import { restoreLeft } from '../src/qemu/borrowed-settings.ts';
import { readSettings } from '../src/qemu/migration-settings.ts';
import { OthersMachine, qemu10 } from '../test/fixtures/others-machine.ts';

const KILLS = Number(process.env.KILLS ?? 200);
/** A migration takes less, begin and end included. */
const LONGEST_MS = 4_000;
const settings = ['link.rate=4Mbit/s', 'migration.order=address', 'migration.stop.rounds=3'];

/** The relay is killed at a random instant of a migration of a small machine: who runs then, and with which settings. */
export async function kills(): Promise<void> {
  const random = Random.seeded(1, 0);
  const counts = { source: 0, destination: 0, 'nobody, complete at the destination': 0, both: 0, neither: 0 };
  let restored = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const journals = mkdtempSync(join(tmpdir(), 'switchover-kills-'));
    const source = await OthersMachine.start(qemu10);
    const destination = await OthersMachine.start(qemu10, '-incoming', 'defer');
    try {
      const before = await readSettings(source.theirs);
      const relay = migrating(source, destination, journals);
      await Promise.race([once(relay.stdout!, 'data'), once(relay, 'exit')]);
      await sleep(random.uniform() * LONGEST_MS);
      relay.kill('SIGKILL');
      await sleep(1_000);
      const [here, there] = [await statusOf(source), await statusOf(destination)];
      if (here.running && there.running) counts.both += 1;
      else if (here.running) counts.source += 1;
      else if (there.running) counts.destination += 1;
      else if (here.status === 'postmigrate' && there.status !== 'gone')
        counts['nobody, complete at the destination'] += 1;
      else counts.neither += 1;
      await restoreLeft(journals);
      if (JSON.stringify(before) === JSON.stringify(await readSettings(source.theirs))) restored += 1;
    } finally {
      await source.end();
      await destination.end();
      rmSync(journals, { recursive: true, force: true });
    }
  }
  console.log(
    `${KILLS} kills of the relay at random instants: ${JSON.stringify(counts)}; settings as before: ${restored}`,
  );
}

function migrating(source: OthersMachine, destination: OthersMachine, journals: string): ChildProcess {
  const ends = ['--qmp', source.ours, '--to-qmp', destination.ours, '--journal', journals];
  const args = [join(packageFolder, 'dist/cli/main.js'), 'migrate', ...ends];
  return spawn(process.execPath, [...args, ...settings.flatMap((setting) => ['--set', setting])]);
}

async function statusOf({
  theirs,
}: OthersMachine): Promise<{ readonly status: string; readonly running: boolean }> {
  return theirs
    .execute<{ status: string; running: boolean }>('query-status')
    .catch(() => ({ status: 'gone', running: false }));
}
