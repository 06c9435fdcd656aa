import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { isObject, type JsonObject, jsonObjects, numberAt } from './json-objects.ts';
import { type KeyValues, keyValueBlocks, numberIn, sizeIn } from './key-values.ts';
import type { Dirtied, Format } from './observation.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE_BYTES = 4096;

/**
 * Different pages that a guest dirtied in a window: the window times the rate, which is told in whole MiB/s, rounded down, so
 * that the truth lies in an interval of one of these. Pages are counted as if they had 4 KiB.
 */
function dirtiedIn(windowNs: Nanos, mebibytesPerSecond: number): Dirtied {
  const pages = (rate: number) => (rate * MIB * windowNs) / NANOS_PER_SECOND / PAGE_BYTES;
  return {
    atNs: null,
    exposureNs: windowNs,
    pages: { low: pages(mebibytesPerSecond), high: pages(mebibytesPerSecond + 1) },
    throttlePercent: 0,
  };
}

/** Answers of QMP's `query-dirty-rate` (qapi/migration.json, DirtyRateInfo), several of them with several windows. */
export const queryDirtyRate: Format = {
  name: 'query-dirty-rate',
  recognises: (text) => /"dirty-rate"|"calc-time"/.test(text),
  read(text) {
    const { objects, damaged } = jsonObjects(text);
    const answers = objects.map((object) => (isObject(object.return) ? object.return : object));
    const dirtied = answers.flatMap((answer) => measured(answer) ?? []);
    const unmeasured = answers.length - dirtied.length;
    return {
      samples: [],
      dirtied,
      missing: [
        damaged > 0 ? `${damaged} damaged or cut objects` : [],
        unmeasured > 0 ? `${unmeasured} answers without a measured rate` : [],
      ].flat(),
    };
  },
};

function measured(answer: JsonObject): Dirtied | null {
  const [rate, window] = [numberAt(answer, 'dirty-rate'), numberAt(answer, 'calc-time')];
  if (rate === null || !window) return null;
  const unit = answer['calc-time-unit'] === 'millisecond' ? NANOS_PER_MILLISECOND : NANOS_PER_SECOND;
  return dirtiedIn(window * unit, rate);
}

/** `info dirty_rate` of QEMU's human monitor (migration/dirtyrate.c, hmp_info_dirty_rate), several times. */
export const infoDirtyRate: Format = {
  name: 'info dirty_rate',
  recognises: (text) => /^[ \t]{0,20}Dirty rate:[ \t]{0,20}(?:\d{1,15} \(MB\/s\)|\(not ready\))/m.test(text),
  read(text) {
    const blocks = keyValueBlocks(text).filter((block) => block.has('dirty rate'));
    return measuredIn(blocks, (block) => [block.get('dirty rate'), block.get('period')]);
  },
};

/**
 * `virsh domstats --dirtyrate` (libvirt, docs/manpages/virsh.rst), several times with several windows; with `--balloon` it
 * tells the size of the guest, too. Of several domains, the one with the most answers is read.
 */
export const domstatsDirtyRate: Format = {
  name: 'domstats --dirtyrate',
  recognises: (text) => /^[ \t]{0,20}dirtyrate\.\w{1,60}[ \t]{0,20}=/m.test(text),
  read(text) {
    const all = keyValueBlocks(text);
    const blocks = ofOneDomain(all);
    const others = all.length - blocks.length;
    const told = measuredIn(blocks, (block) => {
      const isMeasured = (block.get('dirtyrate.calc_status') ?? MEASURED) === MEASURED;
      const rate = isMeasured ? block.get('dirtyrate.megabytes_per_second') : undefined;
      return [rate, block.get('dirtyrate.calc_period')];
    });
    const totalBytes = blocks
      .map((block) => sizeIn(block.get('balloon.maximum'), KIB))
      .findLast((bytes) => bytes !== null);
    return {
      ...told,
      parameters: totalBytes ? { totalBytes } : {},
      missing: [...told.missing, ...(others > 0 ? [`${others} answers of other domains`] : [])],
    };
  },
};

/** VIR_DOMAIN_DIRTYRATE_MEASURED. */
const MEASURED = '2';

function ofOneDomain(blocks: readonly KeyValues[]): readonly KeyValues[] {
  const domains = [...new Set(blocks.map((block) => block.get('domain')))];
  const answers = domains.map((domain) => blocks.filter((block) => block.get('domain') === domain));
  return answers.reduce((most, one) => (one.length > most.length ? one : most), []);
}

/** @param at the rate in whole MiB/s and the window in seconds */
function measuredIn(
  blocks: readonly KeyValues[],
  at: (block: KeyValues) => readonly [rate: string | undefined, seconds: string | undefined],
) {
  const dirtied = blocks.flatMap((block) => {
    const [rate, seconds] = at(block).map((text) => numberIn(text));
    return rate != null && seconds ? [dirtiedIn(seconds * NANOS_PER_SECOND, rate)] : [];
  });
  const unmeasured = blocks.length - dirtied.length;
  return {
    samples: [],
    dirtied,
    missing: unmeasured > 0 ? [`${unmeasured} answers without a measured rate`] : [],
  };
}
