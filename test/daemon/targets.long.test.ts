import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answered, ask, Daemons, eventually, guestsOf, reading } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const MBIT = 125_000;

/** A guest whose migration is computed in a millisecond. */
const light = (name: string) => ({
  name,
  pages: 400,
  program: { kind: 'classes', classes: [{ pages: 60, writesPerSecond: 15 }] },
});
const target = 'downtime<=400ms@0.8, total<=20s@0.8';
const asked = { guest: 'light', to: 'beta', target, migration: { observe: '200ms' } };

describe('a migration that is asked for with a target', () => {
  const daemons = new Daemons();
  let alpha: ServedDaemon;
  let beta: ServedDaemon;
  let configuration: object;
  beforeAll(async () => {
    const links = { lan: { capacity: '100Mbit/s' }, thin: { capacity: '2Mbit/s' } };
    ({ alpha, beta, configuration } = await daemons.pair({
      guests: [light('light'), light('other')],
      links,
    }));
  });
  afterAll(() => daemons.end());

  /** Planning takes seconds, and on a busy machine more. */
  async function answered(path: string, body: object): Promise<Answered> {
    const answer = await fetch(`http://${alpha.address}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  }

  test('is planned first: a dry run says what would be reserved, with a certificate, and reserves nothing', async () => {
    const { status, body } = await answered('/api/predictions', { ...asked, over: 'lan' });
    expect(status, JSON.stringify(body)).toBe(200);
    const { settings, certificate, clauses, sensitivity } = body.target;
    expect(clauses).toEqual([
      { metric: 'downtime', limitNs: 400e6, probability: 0.8 },
      { metric: 'total', limitNs: 20e9, probability: 0.8 },
    ]);
    expect(settings['link.stopRate']).toMatch(/bit\/s$/);
    expect(certificate.kept).toBeGreaterThanOrEqual(0.8 * certificate.runs);
    expect(certificate.lowerBound).toBeGreaterThan(0.5);
    expect(sensitivity.length).toBeGreaterThan(0);
    const { linkBytesPerSecond } = body.reserves;
    expect(linkBytesPerSecond).toBeGreaterThan(0);
    expect(linkBytesPerSecond).toBeLessThanOrEqual(100 * MBIT);
    expect((await ask(alpha, 'GET', '/api/links')).body[0].reservedBytesPerSecond).toBe(0);
    expect((await ask(alpha, 'GET', '/api/migrations')).body).toEqual([]);
  });

  test('has it refused by path where it is none, or where something stands beside it that it chooses', async () => {
    const refused = async (more: object) => {
      const { status, body } = await answered('/api/migrations', { ...asked, ...more });
      expect(status).toBe(400);
      return body.problems.map(({ path }: { path: string }) => path);
    };
    expect(await refused({ over: 'lan', target: 'downtime<=soon' })).toEqual(['body.target']);
    expect(await refused({ over: 'lan', target: undefined })).toEqual(['body.link.rate']);
    expect(await refused({})).toEqual(['body.link.rate']);
    const sender = { reservation: { budget: '1ms', period: '10ms' } };
    expect(await refused({ over: 'lan', link: { rate: '1Mbit/s', stopRate: '1Mbit/s' }, sender })).toEqual([
      'body.sender.reservation',
      'body.link.rate',
      'body.link.stopRate',
    ]);
  });

  test('is refused with the bound that proves it where link or processors have too little left', async () => {
    const thin = await answered('/api/migrations', { ...asked, over: 'thin', target: 'total<=2s@0.9' });
    expect(thin.status).toBe(422);
    expect(thin.body).toMatchObject({
      status: 422,
      bound: { key: 'guest.pages', metric: 'total', limitNs: 2e9 },
      detail: expect.stringMatching(/one copy of the memory, .* needs .* at 2 Mbit\/s/),
    });
    const before = await ask(alpha, 'GET', '/metrics');
    expect(reading(before.body, 'switchover_admission_refusals_total{reason="target"}')).toBe(1);
  });

  test('ends its planning with its client, and the next one is planned', async () => {
    const heavy = { ...asked, guest: 'other', over: 'lan', target: 'downtime<=30ms@0.9999' };
    const gone = fetch(`http://${alpha.address}/api/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(heavy),
      signal: AbortSignal.timeout(300),
    });
    await expect(gone).rejects.toThrow();
    const next = await answered('/api/predictions', { ...asked, over: 'lan' });
    expect(next.status).toBe(200);
  });

  test('is carried out with what was planned, held against it and counted, and is remembered after a restart', async () => {
    const { status, body } = await answered('/api/migrations', { ...asked, over: 'lan' });
    expect(status, JSON.stringify(body)).toBe(202);
    const path = `/api/migrations/${body.id}`;
    const { body: ended } = await eventually(
      () => ask(alpha, 'GET', path),
      (view) => view.body.endedAt !== null,
    );
    expect(ended.state).toBe('completed');
    const { record, targetVerdict } = ended;
    const { rateBytesPerSecond, stopRateBytesPerSecond } = record.plan;
    const granted = Math.max(rateBytesPerSecond, stopRateBytesPerSecond);
    expect(record.admission.grantedBytesPerSecond).toBe(granted);
    const [downtime, total] = targetVerdict.clauses;
    expect(downtime).toMatchObject({ metric: 'downtime', measuredNs: record.downtimeNs });
    expect(total).toMatchObject({ metric: 'total', measuredNs: record.totalNs });
    expect(downtime.marginNs).toBe(400e6 - record.downtimeNs);
    expect(downtime.kept).toBe(record.downtimeNs <= 400e6);
    expect(targetVerdict.kept).toBe(downtime.kept && total.kept);
    await eventually(guestsOf(beta), (guests) => guests[0]?.state === 'running');
    const metrics = (await ask(alpha, 'GET', '/metrics')).body as string;
    const of = (name: string) => reading(metrics, `switchover_target_${name}{metric="downtime"}`)!;
    expect([of('kept_total'), of('missed_total')]).toEqual(downtime.kept ? [1, 0] : [0, 1]);
    expect(of('expected_misses_total')).toBeCloseTo(0.2);
    expect(of('margin_ratio_count')).toBe(1);
    expect(of('margin_ratio_sum')).toBeCloseTo(downtime.marginNs / 400e6);

    await alpha.end();
    alpha = await daemons.start('alpha', configuration);
    const { body: remembered } = await ask(alpha, 'GET', path);
    expect(remembered).toMatchObject({ target: ended.target, targetVerdict });
  });
});
