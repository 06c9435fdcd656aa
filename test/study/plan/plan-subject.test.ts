import { expect, test } from 'vitest';
import { guestDefinition, guestDefinitionSchema } from '../../../src/scenario/migration-request.ts';
import { cellOf, type PlanSubject, settled } from '../../../src/study/plan/plan-subject.ts';
import { guestSubject, requested } from './planned-guest.ts';

const chosen = [
  { path: 'link.rate', value: '25Mbit/s' },
  { path: 'link.stopRate', value: '50Mbit/s' },
  { path: 'sender.reservation', value: { budget: '2ms', period: '10ms' } },
  { path: 'migration.stop', value: { rule: 'rounds', rounds: 4 } },
  { path: 'migration.defer', value: { threshold: 0.3 } },
];

test('settings of a plan become those of a request, in its own units, and leave the rest of it as it was', () => {
  const request = requested({ migration: { observe: '70ms' }, sender: { cpuPerPage: '20us' } });
  const made = settled(request, chosen);
  expect(made.link).toEqual({ ...request.link, rate: 3_125_000, stopRate: 6_250_000 });
  expect(made.sender).toEqual({
    ...request.sender,
    reservation: { budgetNs: 2e6, periodNs: 10e6 },
  });
  expect(made.migration).toMatchObject({
    observe: 70e6,
    stop: { rule: 'rounds', rounds: 4 },
    defer: { threshold: 0.3 },
  });
  expect(settled(request, [])).toEqual(request);
});

test('what the host and its configuration say is not for a request to say', () => {
  const request = requested({});
  const hosts = [
    { path: 'guest.reservation', value: { budget: '1ms', period: '10ms' } },
    { path: 'link.capacity', value: '1Gbit/s' },
  ];
  expect(settled(request, hosts)).toEqual(request);
});

test('a guest that lives on a host has a processor of its own, where the host keeps its reservation', () => {
  const subject = guestSubject({ reservation: { budget: '4ms', period: '10ms' }, scheduler: 'deadline' });
  const cell = cellOf(subject, chosen);
  expect(cell.cpu).toMatchObject({
    scheduler: 'cbs-hard',
    guestScheduler: 'deadline',
    guest: { budgetNs: 4e6, periodNs: 10e6 },
    sender: { budgetNs: 2e6, periodNs: 10e6 },
  });
  expect(cell.plan).toMatchObject({ rateBytesPerSecond: 3_125_000, stopRateBytesPerSecond: 6_250_000 });
  expect(cellOf(guestSubject({}), chosen).cpu).toMatchObject({ guestScheduler: 'none', guest: null });
});

test('a scenario and a guest of the same words are the same migration', () => {
  const guest = { pages: 400, program: { kind: 'classes', classes: [{ pages: 60, writesPerSecond: 15 }] } };
  const { seed: _, ...definition } = guestDefinition(guestDefinitionSchema.parse(guest), 'guest').guest;
  const scenario: PlanSubject = {
    kind: 'scenario',
    base: { guest, link: { rate: '10Mbit/s' }, sender: { cpuPerPage: '20us' } },
    file: 'x',
  };
  const one = cellOf(scenario, chosen);
  const other = cellOf(guestSubject(guest, { sender: { cpuPerPage: '20us' } }), chosen);
  expect(other.guest).toMatchObject({ pages: definition.pages, program: definition.program });
  expect(other.plan).toMatchObject(one.plan);
  expect(other.cpu).toEqual({ ...one.cpu, guestScheduler: 'none' });
});
