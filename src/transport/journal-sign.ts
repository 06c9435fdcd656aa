import { dirname, resolve } from 'node:path';
import { orFailure } from '../platform/failure.ts';
import { LifeSign } from '../platform/life-sign.ts';
import { makeFolders, syncFolder } from '../platform/paths.ts';
import { isCrowded, tidyFolder } from './journal-upkeep.ts';

/** This process in one folder of journals, until it ends. */
export interface JournalSign {
  readonly sign: LifeSign;
  /** Of journals that it has begun there and not closed. */
  open: number;
}

const signs = new Map<string, Promise<JournalSign>>();

/**
 * Makes the folder if it is not there, and shows there that this process lives. Also tidies it, at the beginning and
 * when there is much to remove.
 * @throws Failure that cannot be done
 */
export async function signOfJournals(folder: string): Promise<JournalSign> {
  const path = resolve(folder);
  const shown = await signs.get(path)?.catch(() => undefined);
  if (shown?.sign.isShown) {
    if (isCrowded(path)) await tidied(path);
    return shown;
  }
  const begins = begin(path);
  signs.set(path, begins);
  return begins;
}

async function begin(folder: string): Promise<JournalSign> {
  orFailure(`cannot write journals in ${folder}`, () => {
    const made = makeFolders(folder);
    if (made !== undefined) syncFolder(dirname(made));
  });
  const journals: JournalSign = { sign: await LifeSign.show(folder), open: 0 };
  if (shown.size === 0) process.once('exit', withdrawAll);
  shown.add(journals);
  await tidied(folder);
  return journals;
}

const shown = new Set<JournalSign>();

/** Where a journal was left open, the sign stays: that it refuses then is the proof that this process has ended. */
function withdrawAll(): void {
  for (const { sign, open } of shown) if (open === 0) sign.withdraw();
}

/** No migration fails because something old cannot be removed; `recover` says so. */
async function tidied(folder: string): Promise<void> {
  await tidyFolder(folder).catch(() => {});
}
