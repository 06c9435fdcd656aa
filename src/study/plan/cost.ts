import { shareOf } from '../../core/cpu/reservation.ts';
import type { BytesPerSecond } from '../../core/units.ts';
import { usageError } from '../../platform/problem.ts';
import type { Reserved } from './choice.ts';

/** What reservations cost: a whole processor so much, and the whole link as b and as b_d. */
export interface CostWeights {
  readonly cpu: number;
  readonly b: number;
  readonly bd: number;
}

/** b is held for the whole migration, b_d only while the guest stands. */
export const defaultCost: CostWeights = { cpu: 1, b: 1, bd: 0.2 };

/** `cpu=1,b=1,bd=0.2`; what is not named has its default. @throws UsageError it is not of that form */
export function parseCost(text: string): CostWeights {
  const weights: Record<string, number> = { ...defaultCost };
  for (const part of text.split(',')) {
    const [, name = '', number] = /^\s*(cpu|b|bd)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    if (number === undefined) {
      throw usageError('--cost', 'weights from 0 on of cpu, b and bd, such as cpu=1,b=1,bd=0.2', text);
    }
    weights[name] = Number(number);
  }
  return weights as unknown as CostWeights;
}

/** Σ weight × share: of processors, and of the link. */
export function costOf(
  { rate, stopRate, sender, guest }: Reserved,
  { cpu, b, bd }: CostWeights,
  capacity: BytesPerSecond,
): number {
  const shares = (sender ? shareOf(sender) : 0) + (guest ? shareOf(guest) : 0);
  return cpu * shares + (b * rate + bd * (stopRate ?? rate)) / capacity;
}
