import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { isObject, type JsonObject, jsonObjects, numberAt } from './json-objects.ts';
import { keyValueBlocks, numberIn } from './key-values.ts';
import type { Dirtied, Format } from './observation.ts';

const MIB = 1024 * 1024;
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

/** `virsh domstats --dirtyrate` (libvirt, docs/manpages/virsh.rst), several times with several windows. */
export const domstatsDirtyRate: Format = {
  name: 'domstats --dirtyrate',
  recognises: (text) => /^[ \t]{0,20}dirtyrate\.\w{1,60}[ \t]{0,20}=/m.test(text),
  read(text) {
    const blocks = keyValueBlocks(text);
    const dirtied = blocks.flatMap((block) => {
      const rate = numberIn(block.get('dirtyrate.megabytes_per_second'));
      const seconds = numberIn(block.get('dirtyrate.calc_period'));
      const isMeasured = (block.get('dirtyrate.calc_status') ?? MEASURED) === MEASURED;
      return rate !== null && seconds && isMeasured ? [dirtiedIn(seconds * NANOS_PER_SECOND, rate)] : [];
    });
    const unmeasured = blocks.length - dirtied.length;
    return {
      samples: [],
      dirtied,
      missing: unmeasured > 0 ? [`${unmeasured} answers without a measured rate`] : [],
    };
  },
};

/** VIR_DOMAIN_DIRTYRATE_MEASURED. */
const MEASURED = '2';
