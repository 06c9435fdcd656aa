import { inputLimits } from '../../core/input-limits.ts';
import { cloudHypervisorLog } from './cloud-hypervisor-log.ts';
import { dirtiedOf } from './dirtied-of.ts';
import { domstatsDirtyRate, infoDirtyRate, queryDirtyRate } from './dirty-rate.ts';
import { domjobinfo } from './domjobinfo.ts';
import { downtimeTrace } from './downtime-trace.ts';
import { gapsIn, withoutImpossible } from './gaps.ts';
import { infoMigrate } from './info-migrate.ts';
import { kubevirt } from './kubevirt.ts';
import { launcherLog } from './launcher-log.ts';
import { type Format, nothingSet, type Observation, type Parameters, type Told } from './observation.ts';
import { oneMigration } from './one-migration.ts';
import { plainText } from './plain-text.ts';
import { proxmoxLog } from './proxmox-log.ts';
import { queryMigrate } from './query-migrate.ts';

/** Told apart by their content; the first that recognises a text reads it. */
export const formats: readonly Format[] = [
  ...[queryMigrate, queryDirtyRate, infoDirtyRate, domstatsDirtyRate, domjobinfo, infoMigrate],
  ...[cloudHypervisorLog, downtimeTrace, proxmoxLog, launcherLog, kubevirt],
];

/** What was read of several texts that tell of one migration. */
export interface Imported {
  /** The names of their formats, each once. */
  readonly format: string;
  readonly observation: Observation;
  /** What could not be read. */
  readonly missing: readonly string[];
}

/** A text, and what to call it. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** @returns undefined: nothing readable in any of them */
export function importTexts(texts: readonly NamedText[]): Imported | undefined {
  const all = texts.map(({ name, text }) => {
    const plain = plainText(text);
    const format = formats.find(({ recognises }) => recognises(plain));
    return { name, format, told: format?.read(plain) };
  });
  const usable = all.flatMap(({ format, told }) =>
    format && told && saysAnything(told) ? [{ format, told }] : [],
  );
  if (usable.length === 0) return undefined;
  const parameters: Parameters = Object.assign(
    {},
    nothingSet,
    ...usable.map(({ told }) => known(told.parameters ?? {})),
  );
  const series = usable.map(({ told }) => oneMigration(told.samples));
  const longest = series.reduce((one, other) => (other.samples.length > one.samples.length ? other : one));
  const { samples, missing: impossible } = withoutImpossible(longest.samples, parameters.totalBytes);
  const told = usable.flatMap((one) => one.told.dirtied ?? []);
  // A log that tells what was dirtied needs no reckoning.
  const reckoned = told.some(({ atNs }) => atNs !== null)
    ? []
    : dirtiedOf(samples, parameters.pageSizeBytes, usable[series.indexOf(longest)]!.told.leftUnitBytes);
  return {
    format: [...new Set(usable.map(({ format }) => format.name))].join(', '),
    observation: {
      samples,
      dirtied: [...told, ...reckoned],
      parameters,
      downtimeParts: usable.flatMap(({ told }) => told.downtimeParts ?? []),
      reason: usable.map(({ told }) => told.reason ?? null).find((reason) => reason !== null) ?? null,
    },
    missing: [
      ...all.flatMap(({ name, told }) => (told && saysAnything(told) ? [] : [`${name}: nothing readable`])),
      ...usable.flatMap(({ told }) => told.missing ?? []),
      ...(longest.samples.length >= inputLimits.importedSamples
        ? [`what follows ${inputLimits.importedSamples} samples`]
        : []),
      ...series.flatMap(({ missing }) => missing),
      ...impossible,
      ...gapsIn(samples),
    ],
  };
}

function saysAnything({ samples, dirtied = [], downtimeParts = [], parameters = {} }: Told): boolean {
  const lists = samples.length + dirtied.length + downtimeParts.length;
  return lists > 0 || Object.keys(known(parameters)).length > 0;
}

function known(parameters: Partial<Parameters>): Partial<Parameters> {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null));
}
