import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Daemons, guestsOf, stream } from '../fixtures/daemons.ts';
import { leaveJournal, unprovable } from '../fixtures/journals.ts';

let daemons: Daemons;
let state: string;
beforeEach(() => {
  daemons = new Daemons();
  state = join(daemons.folder, 'alpha', 'state');
});
afterEach(() => daemons.end());

const guest = (name: string) => ({ ...stream, name });
const start = (...guests: string[]) => daemons.start('alpha', { guests: guests.map(guest) });
const booted = async (daemon: Awaited<ReturnType<typeof start>>) =>
  (await guestsOf(daemon)()).filter(({ state }) => state === 'running').map(({ name }) => name);

describe('the state folder of a daemon', () => {
  test('is one daemon’s: a second is refused with who has it; when that is killed, the next one starts', async () => {
    const first = await start('web');
    await expect(start('web')).rejects.toThrow(`${state} is in use by process ${first.pid} on `);
    first.signal('SIGSTOP');
    await expect(start('web')).rejects.toThrow(`${state} is in use by process ${first.pid} on `);
    await first.end('SIGKILL');
    const next = await start('web');
    expect(await booted(next)).toEqual(['web']);
    await next.end();
    expect(readdirSync(state).sort()).toEqual(['diary.ndjson', 'experiments', 'journals']);
  });

  test('keeps a user’s own files, also among the records of experiments', async () => {
    const experiments = join(state, 'experiments');
    mkdirSync(join(experiments, 'more'), { recursive: true });
    const records = '5e2ba0f4-9f5c-4a70-8a54-0d0f6f2c1a11.ndjson';
    for (const name of [records, 'thesis.ndjson', 'more/notes']) writeFileSync(join(experiments, name), name);
    await start();
    expect(readdirSync(experiments).sort()).toEqual(['more', 'thesis.ndjson']);
    expect(readFileSync(join(experiments, 'more/notes'), 'utf8')).toBe('more/notes');
  });

  test('with journals of which one is damaged and one cannot be settled: their guests wait, the others run', async () => {
    const journals = join(state, 'journals');
    const damaged = leaveJournal(journals, 'source', ['stopped', 'ready', 'commit'], { guest: 'torn' });
    writeFileSync(damaged, 'torn\n');
    leaveJournal(journals, 'source', ['stopped'], {
      ...{ guest: 'afar', migration: '6e2ba0f4-9f5c-4a70-8a54-0d0f6f2c1a11', process: unprovable },
    });
    const daemon = await start('web', 'torn', 'afar');
    expect(await booted(daemon)).toEqual(['web']);
    expect(daemon.log).toContain(`${damaged} is damaged: line 1: not JSON`);
    expect(daemon.log).toContain("guest 'torn' is not booted");
    expect(daemon.log).toContain(`switchover recover ${journals} --declare-dead ${unprovable.name}`);
  });
});
