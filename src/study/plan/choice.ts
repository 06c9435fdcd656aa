import { formatReservation, type Reservation } from '../../core/cpu/reservation.ts';
import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import type { Setting } from '../../scenario/settings.ts';

/** What a plan reserves. */
export interface Reserved {
  /** b */
  readonly rate: BytesPerSecond;
  /** b_d; null: as b. */
  readonly stopRate: BytesPerSecond | null;
  /** null: not reserved. */
  readonly sender: Reservation | null;
  readonly guest: Reservation | null;
}

/** What a plan may come to: a policy, and what is reserved for it. */
export interface Choice extends Reserved {
  /** Settings of `migration`. */
  readonly policy: readonly Setting[];
}

/** What a reservation is called by: the path of the scenario. */
export const reservedPaths = [
  'link.rate',
  'link.stopRate',
  'sender.reservation',
  'guest.reservation',
] as const;
export type ReservedPath = (typeof reservedPaths)[number];

/** The settings of the scenario that make a choice. */
export function settingsOfChoice({ policy, rate, stopRate, sender, guest }: Choice): readonly Setting[] {
  return [
    { path: 'link.rate', value: rateText(rate) },
    { path: 'link.stopRate', value: rateText(stopRate ?? rate) },
    ...(sender ? [{ path: 'sender.reservation', value: written(sender) }] : []),
    ...(guest ? [{ path: 'guest.reservation', value: written(guest) }] : []),
    ...policy,
  ];
}

/** The same choice with so much more or less of one reservation, where it has that one; a budget stays within its period. */
export function scaled(choice: Choice, path: ReservedPath, factor: number): Choice {
  switch (path) {
    case 'link.rate':
      return { ...choice, rate: readableRate(choice.rate * factor) };
    case 'link.stopRate':
      return { ...choice, stopRate: choice.stopRate && readableRate(choice.stopRate * factor) };
    case 'sender.reservation':
      return {
        ...choice,
        sender: choice.sender && withBudget(choice.sender, choice.sender.budgetNs * factor),
      };
    case 'guest.reservation':
      return { ...choice, guest: choice.guest && withBudget(choice.guest, choice.guest.budgetNs * factor) };
  }
}

/** As a person reads it. */
export function amountText(choice: Reserved, path: ReservedPath): string {
  if (path === 'link.rate') return spaced(rateText(choice.rate));
  if (path === 'link.stopRate') return spaced(rateText(choice.stopRate ?? choice.rate));
  const reservation = path === 'sender.reservation' ? choice.sender : choice.guest;
  return reservation ? formatReservation(reservation) : 'none';
}

function spaced(text: string): string {
  return text.replace(/(?<=\d)(?=[a-zA-Z])/, ' ');
}

/** A budget rounded up to three digits, so that people can read it; the kernel grants no less than 1,024 ns. */
export function withBudget({ periodNs }: Reservation, budgetNs: Nanos): Reservation {
  const least = Math.max(1024, budgetNs);
  const stepNs = 10 ** (Math.floor(Math.log10(least)) - 2);
  return { periodNs, budgetNs: Math.min(periodNs, Math.ceil(least / stepNs - 1e-9) * stepNs) };
}

/** Rounded up to three digits in bits, so that people can read it, and to whole bytes. */
export function readableRate(rate: BytesPerSecond): BytesPerSecond {
  const bits = Math.max(8, rate * 8);
  const step = Math.max(8, 10 ** (Math.floor(Math.log10(bits)) - 2));
  return Math.ceil((Math.ceil(bits / step - 1e-9) * step) / 8);
}

/** As a scenario writes it, exactly. */
export function rateText(rate: BytesPerSecond): string {
  const bits = rate * 8;
  for (const [unit, size] of [
    ['Gbit/s', 1e9],
    ['Mbit/s', 1e6],
    ['kbit/s', 1e3],
  ] as const) {
    if (bits >= size && Number.isInteger((bits * 1000) / size)) return `${bits / size}${unit}`;
  }
  return `${bits}bit/s`;
}

/** As a scenario writes it, exactly. */
export function durationText(ns: Nanos): string {
  for (const [unit, size] of [
    ['s', 1e9],
    ['ms', 1e6],
    ['us', 1e3],
  ] as const) {
    if (ns >= size && Number.isInteger((ns * 1000) / size)) return `${ns / size}${unit}`;
  }
  return `${Math.round(ns)}ns`;
}

function written({ budgetNs, periodNs }: Reservation) {
  return { budget: durationText(budgetNs), period: durationText(periodNs) };
}
