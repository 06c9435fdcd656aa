import { inputLimits } from '../../core/input-limits.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';

/** What stands at the keys of one answer, in lower case and without the space around. */
export type KeyValues = ReadonlyMap<string, string>;

/** More is no line of an answer. */
const LONGEST_LINE = 1_000;

/**
 * Texts of `key: value` and `key=value` lines, one answer after the other: a new one begins where a key comes again. Lines
 * of several, as in `Time (ms): total=3003, setup=0`, are several, of keys such as `time (ms) total`.
 */
export function keyValueBlocks(text: string): readonly KeyValues[] {
  const blocks: Map<string, string>[] = [];
  for (const line of linesIn(text)) {
    for (const [key, value] of pairsIn(line)) {
      const current = blocks.at(-1);
      if (current && !current.has(key)) current.set(key, value);
      else if (blocks.length === inputLimits.importedSamples) return blocks;
      else blocks.push(new Map([[key, value]]));
    }
  }
  return blocks;
}

export function linesIn(text: string): readonly string[] {
  return text.split('\n', inputLimits.importedLines).filter(({ length }) => length <= LONGEST_LINE);
}

type Pair = readonly [key: string, value: string];

function pairsIn(line: string): readonly Pair[] {
  const pair = pairIn(line);
  if (!pair?.[1].includes('=')) return pair ? [pair] : [];
  return pair[1].split(',').flatMap((part) => {
    const inner = pairIn(part);
    return inner ? [[`${pair[0]} ${inner[0]}`, inner[1]] as const] : [];
  });
}

function pairIn(text: string): Pair | undefined {
  const at = text.search(/[:=]/);
  return at < 1 ? undefined : [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/** Powers of 1024, whatever they are called: QEMU, libvirt and Proxmox all mean these. */
const POWERS = ['', 'k', 'm', 'g', 't', 'p'];

/**
 * A size such as `12.6 GiB`, `1024 kbytes` or `823.0 MiB/s`; null: it is none. A bare number has the unit that is given.
 * virsh prints a comma before the decimals where the locale has one.
 */
export function sizeIn(text: string | undefined, unitBytes = 1): number | null {
  const [, number, prefix = '', unit] =
    /^(\d[\d.,]{0,19})\s*(?:([kmgtp]?)i?(b|bytes?)?(?:\/s(?:econd)?)?)?$/i.exec(text ?? '') ?? [];
  if (number === undefined) return null;
  const isBare = prefix === '' && unit === undefined;
  const bytes =
    Number(number.replace(',', '.')) * (isBare ? unitBytes : 1024 ** POWERS.indexOf(prefix.toLowerCase()));
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : null;
}

const NANOS_OF: Readonly<Record<string, Nanos>> = {
  us: NANOS_PER_MILLISECOND / 1_000,
  m: NANOS_PER_MILLISECOND,
  s: NANOS_PER_SECOND,
};

/** A time such as `6100`, `6100 ms`, `6100 milliseconds` or `6.1 s`; null: it is none. A bare number has milliseconds. */
export function durationIn(text: string | undefined): Nanos | null {
  const [, unit = 'm'] = /^[\d.,]{1,20}\s*(us|m|s)(?!in)/.exec(text ?? '') ?? [];
  return numberIn(text, NANOS_OF[unit]);
}

/** The number with which a text begins, in another unit; null: with none. */
export function numberIn(text: string | undefined, unit = 1): number | null {
  const value = Number.parseFloat((text ?? '').replace(',', '.'));
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value * unit : null;
}
