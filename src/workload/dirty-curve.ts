import type { Nanos } from '../core/units.ts';
import { type DirtyCurve, measuredCurve } from '../model/curve.ts';
import { Failure } from '../platform/failure.ts';
import type { ProgramKind } from './program.ts';

/**
 * A guest of which only a measured curve is known: how many different pages of a sample it dirties in a time. It
 * does not say which pages, so it works only in virtual time and in the model.
 */
export interface DirtyCurveSpec {
  readonly kind: 'dirty-curve';
  readonly sampledPages: number;
  /** Pages of the sample that held only zeros. */
  readonly zeroSampledPages: number;
  readonly points: readonly { readonly periodNs: Nanos; readonly dirtySampledPages: number }[];
}

/** The curve of the whole guest: pages counted in the sample, scaled by pages / sampledPages. */
export function curveOf(spec: DirtyCurveSpec, pages: number): DirtyCurve {
  const scale = pages / spec.sampledPages;
  return measuredCurve(
    spec.points.map(({ periodNs, dirtySampledPages }) => ({ periodNs, pages: dirtySampledPages * scale })),
    pages - spec.zeroSampledPages * scale,
  );
}

export const dirtyCurve: ProgramKind<DirtyCurveSpec> = {
  program() {
    throw new Failure(
      'program dirty-curve: it says how many pages are dirtied, not which, so it works only in virtual time',
    );
  },
  activity: (spec, { pages, zeroPages }) => ({
    kind: 'curve',
    differentPages: curveOf(spec, pages + zeroPages),
  }),
  pagesNeeded: () => 1,
};
