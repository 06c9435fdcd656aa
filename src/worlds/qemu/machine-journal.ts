import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, orFailure } from '../../platform/failure.ts';
import { parseJson } from '../../platform/json.ts';
import { LifeSign } from '../../platform/life-sign.ts';
import { processSchema } from '../../platform/process-identity.ts';
import { readText, writeText } from '../../platform/text-file.ts';
import { knownMachineSchema } from '../../qemu/known-machine.ts';

/** What a migration came to in its stream, by which it is known again: another one of the same machine differs in some of it. */
const writtenSchema = z.strictObject({ pages: z.number(), syncs: z.number(), bytes: z.number() });
export type Written = z.infer<typeof writtenSchema>;

/** Where a machine goes: to a QEMU of this host, or behind a receiver. */
const placeSchema = z.union([knownMachineSchema, z.strictObject({ receiver: z.string() })]);
export type Place = z.infer<typeof placeSchema>;

const begunSchema = z.strictObject({
  format: z.literal('switchover-machine/1'),
  source: knownMachineSchema,
  destination: placeSchema,
  process: processSchema,
});
const entrySchema = z.discriminatedUnion('entry', [
  /** Written before the word with which the source gives the machine away. */
  z.strictObject({
    entry: z.literal('handing over'),
    written: writtenSchema,
    /** Its user has paused it: it is not to run. */
    staysPaused: z.boolean(),
  }),
  /** Written once the source has said that it is done. */
  z.strictObject({ entry: z.literal('handed over') }),
]);

/** What a journal says. */
export interface MachineMove extends Omit<z.infer<typeof begunSchema>, 'format'> {
  readonly last: 'begun' | 'handing over' | 'handed over';
  readonly written?: Written;
  readonly staysPaused?: boolean;
}

/**
 * How far the hand-over of somebody's machine has come, for whoever comes after this process if it is killed: the file goes when nothing
 * is left to be done. It is not synced: what a process has written lasts longer than the process, and a host that crashes takes
 * the source with it.
 */
export class MachineJournal {
  readonly #file: string;
  readonly #sign: LifeSign;

  private constructor(file: string, sign: LifeSign) {
    this.#file = file;
    this.#sign = sign;
  }

  /** @throws Failure it cannot be written */
  static async begin(
    folder: string,
    { source, destination }: Pick<MachineMove, 'source' | 'destination'>,
  ): Promise<MachineJournal> {
    const name = createHash('sha256').update(source.socket).digest('hex').slice(0, 16);
    const file = join(folder, `${name}.machine.ndjson`);
    const sign = await LifeSign.show(folder);
    try {
      const begun = { format: 'switchover-machine/1', source, destination, process: sign.process } as const;
      writeText(file, `${JSON.stringify(begun)}\n`);
      return new MachineJournal(file, sign);
    } catch (cause) {
      sign.withdraw();
      throw cause;
    }
  }

  /** @throws Failure it cannot be written */
  write(entry: z.infer<typeof entrySchema>): void {
    orFailure(`cannot write ${this.#file}`, () => appendFileSync(this.#file, `${JSON.stringify(entry)}\n`));
  }

  /** Nothing is left to be done. */
  close(): void {
    rmSync(this.#file, { force: true });
    this.#sign.withdraw();
  }
}

const JOURNAL_FILE = /^[0-9a-f]{16}\.machine\.ndjson$/;

/** @throws Failure the folder cannot be read */
export function machineJournalsIn(folder: string): readonly string[] {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder));
  return names.filter((name) => JOURNAL_FILE.test(name)).map((name) => join(folder, name));
}

/** A last line without an end was being written when its process was killed. @throws Failure it is not what we write there */
export function readMachineJournal(file: string): MachineMove {
  const [first = '', ...more] = readText(file).split('\n').slice(0, -1);
  const begun = begunSchema.safeParse(parseJson(first, file));
  const entries = z.array(entrySchema).safeParse(more.map((line) => parseJson(line, file)));
  if (!begun.success || !entries.success) {
    throw new Failure(`${file}: not what Switchover writes there; move it away`);
  }
  const { format: _, ...move } = begun.data;
  const handingOver = entries.data.find((one) => one.entry === 'handing over');
  if (!handingOver) return { ...move, last: 'begun' };
  const { written, staysPaused } = handingOver;
  return { ...move, last: entries.data.at(-1)!.entry, written, staysPaused };
}
