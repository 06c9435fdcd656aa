import type fc from 'fast-check';
import { type RandomScenario, randomScenario } from './random-scenario.ts';

/** From 2^18 pages on, up to 1 TiB: what virtual time carries out in counts, so that a run takes as long as a small one. */
export function hugeScenario(): fc.Arbitrary<RandomScenario> {
  const isCounted = ({ order, heat, defer, clear }: Counted, kind: string) =>
    ['address', 'random', 'lru', 'frequency', 'increasing', 'decreasing'].includes(order) &&
    (heat === 'known' || (['address', 'random'].includes(order) && !defer)) &&
    !clear.startsWith('chunk') &&
    (['classes', 'zipf'].includes(kind) || (kind === 'saturating' && clear === 'round' && !defer));
  return randomScenario(2 ** 28, 2 ** 18)
    .filter(({ guest, migration }) => isCounted(migration as Counted, guest.program.kind))
    .map((document) => {
      const { cpu: _, sender: __, background: ___, ...rest } = document;
      const { depth: ____, ...link } = document.link as { depth?: string };
      const { reservation: _____, ...guest } = document.guest as {
        reservation?: unknown;
      } & RandomScenario['guest'];
      const migration = { ...(document.migration as object), skip: false };
      return { ...rest, guest: { ...guest, pageSize: '4KiB' }, link, migration };
    });
}

interface Counted {
  readonly order: string;
  readonly heat: string;
  readonly defer?: unknown;
  readonly clear: string;
}
