import { dirname, resolve } from 'node:path';
import { orFailure } from '../platform/failure.ts';
import { LifeSign } from '../platform/life-sign.ts';
import { makeFolders, syncFolder } from '../platform/paths.ts';
import { isCrowded, tidyFolder } from './journal-upkeep.ts';

/** By which others see that this process is at work in a folder of journals. */
export class JournalSign {
  readonly sign: LifeSign;
  /** Journals that it has begun there and not closed. */
  open = 0;
  #holders = 1;

  private constructor(sign: LifeSign) {
    this.sign = sign;
  }

  /**
   * Makes the folder if it is not there, and shows there that this process lives until all who hold the sign have let
   * go of it. Also tidies the folder, at the beginning and when there is much to remove.
   * @throws Failure that cannot be done
   */
  static async hold(folder: string): Promise<JournalSign> {
    const path = resolve(folder);
    const known = await signs.get(path)?.catch(() => undefined);
    if (known?.sign.isShown) {
      known.#holders += 1;
      if (isCrowded(path)) await tidied(path);
      return known;
    }
    const begins = JournalSign.#begin(path);
    signs.set(path, begins);
    return begins;
  }

  static async #begin(folder: string): Promise<JournalSign> {
    orFailure(`cannot write journals in ${folder}`, () => {
      const made = makeFolders(folder);
      if (made !== undefined) syncFolder(dirname(made));
    });
    const sign = new JournalSign(await LifeSign.show(folder));
    if (shown.size === 0) process.on('exit', withdrawAll);
    shown.add(sign);
    await tidied(folder);
    return sign;
  }

  letGo(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.withdraw();
    shown.delete(this);
    if (shown.size === 0) process.off('exit', withdrawAll);
  }

  /** Where a journal was left open, it stays: that it refuses then is the proof that this process has ended. */
  withdraw(): void {
    if (this.open === 0) this.sign.withdraw();
  }
}

const signs = new Map<string, Promise<JournalSign>>();
const shown = new Set<JournalSign>();

function withdrawAll(): void {
  for (const sign of shown) sign.withdraw();
}

/** No migration fails because something old cannot be removed; `recover` says so. */
async function tidied(folder: string): Promise<void> {
  await tidyFolder(folder).catch(() => {});
}
