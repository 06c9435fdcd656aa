import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../../src/core/migration/migration-result.ts';
import type { Plan } from '../../src/core/migration/plan.ts';
import type { End } from '../../src/core/wire/handover.ts';
import { recover } from '../../src/transport/recover.ts';
import type { GuestSpec } from '../../src/workload/programs.ts';
import type { GuestStatus } from '../../src/worlds/threads/host.ts';
import { neverMoved } from '../fixtures/never-moved.ts';
import { smallSetup } from '../fixtures/setup.ts';
import { same, until } from '../fixtures/until.ts';
import { HostProcess } from './host-process.ts';

/** A guest small and busy enough that every phase has pages of its own. */
export const guest: GuestSpec = smallSetup({
  guest: {
    name: 'web',
    pages: 200,
    program: {
      kind: 'classes',
      classes: [
        { pages: 40, writesPerSecond: 30 },
        { pages: 100, writesPerSecond: 3 },
      ],
    },
  },
}).guest;

/** Nothing is reserved for it. */
export const definition = { guest, reservation: null };

/** Two live rounds, then the stop. */
export const plan: Plan = smallSetup({
  guest,
  plan: {
    stop: { rule: 'rounds', rounds: 2 },
    observeNs: 0,
    verify: 'checksums',
    rateBytesPerSecond: 10_000_000,
    stopRateBytesPerSecond: 10_000_000,
  },
}).plan;

/** A destination gives up a source that is silent for so long. */
const SILENCE_MS = 4_000;

/** Two hosts in processes of their own, and a folder for the journals of each. */
export class Lane {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchover-faults-'));
  #source: HostProcess | undefined;
  #destination: HostProcess | undefined;
  #isWarm = false;

  get source(): HostProcess {
    return this.#source!;
  }

  get destination(): HostProcess {
    return this.#destination!;
  }

  get journals(): readonly [string, string] {
    return [join(this.folder, 'source'), join(this.folder, 'destination')];
  }

  /** Starts whoever does not live. */
  async restart(): Promise<void> {
    const [here, there] = this.journals;
    const limits = { silenceMs: SILENCE_MS };
    // Who is killed before it has written a journal leaves a folder all the same, for `recover`.
    for (const folder of this.journals) mkdirSync(folder, { recursive: true });
    if (!this.#source?.lives || !this.#destination?.lives) this.#isWarm = false;
    if (!this.#source?.lives) this.#source = await HostProcess.start({ journals: here, limits });
    if (!this.#destination?.lives) this.#destination = await HostProcess.start({ journals: there, limits });
  }

  /** Both live, and have been a source and a destination before they are looked at. */
  async ready(): Promise<void> {
    if (this.#source?.lives && this.#destination?.lives && this.#isWarm) return;
    await this.restart();
    this.#isWarm = true;
    await this.source.ask('boot', definition);
    await this.migrate(this.source, this.destination);
    await this.migrate(this.destination, this.source);
    await this.source.ask('remove', guest.name);
  }

  /** An undisturbed migration. */
  async migrate(from: HostProcess, to: HostProcess): Promise<MigrationResult> {
    const target = { host: '127.0.0.1', port: to.port, key: null };
    const quick = { ...plan, rateBytesPerSecond: null, stopRateBytesPerSecond: null };
    const course = await from.ask('migrate', guest.name, quick, freeCpu, target);
    expect(course).toMatchObject({ outcome: 'completed', owner: 'destination' });
    return course;
  }

  /** The guest as a host sees it; undefined: it is not there, or the host is not. */
  async at(host: HostProcess): Promise<GuestStatus | undefined> {
    if (!host.lives) return undefined;
    try {
      return (await host.ask('guests')).find(({ name }) => name === guest.name);
    } catch (cause) {
      // It was killed, and that was not heard of until now.
      if (host.lives) throw cause;
      return undefined;
    }
  }

  /** What both hosts say of the guest. What must never be is looked for every time. */
  async states(): Promise<(GuestStatus['state'] | undefined)[]> {
    const states = [(await this.at(this.source))?.state, (await this.at(this.destination))?.state];
    expect(states, 'two runners').not.toEqual(['running', 'running']);
    return states;
  }

  /** What both hosts say of the guest once it is not on its way any more. */
  quiet(): Promise<(GuestStatus['state'] | undefined)[]> {
    const rests = (states: readonly unknown[]) => !states.includes('arriving') && !states.includes('leaving');
    return until('at rest', () => this.states(), rests);
  }

  /** What `switchover recover` says, as soon as it can say it; undefined: no migration is open. */
  async recovered(): Promise<End | undefined> {
    const owner = async () => (await recover(this.journals)).settlements[0]?.owner;
    return (await until('recover names an owner', owner, (owner) => owner !== 'nobody yet known')) as End;
  }

  /** Waits until a killed process has ended. */
  async gone(end: End): Promise<void> {
    await until(`the ${end} has ended`, () => this[end].lives, same(false));
  }

  /** Nothing is open in either journal. */
  async settled(): Promise<void> {
    const open = async () => (await recover(this.journals)).settlements.length;
    await until('all journals are closed', open, same(0));
  }

  /** The guest's memory is that of one that never moved. */
  async expectWhole(host: HostProcess): Promise<void> {
    await host.ask('pause', guest.name);
    const { steps } = (await this.at(host))!;
    expect(steps).toBeGreaterThan(0);
    expect(await host.ask('hash', guest.name)).toBe(neverMoved(guest, steps));
    await host.ask('resume', guest.name);
  }

  /** Ends both processes and forgets all journals. */
  async reset(): Promise<void> {
    await Promise.all([this.#source?.end(), this.#destination?.end()]);
    for (const folder of this.journals) rmSync(folder, { recursive: true, force: true });
    this.#isWarm = false;
  }

  async end(): Promise<void> {
    await this.reset();
    rmSync(this.folder, { recursive: true });
  }
}
