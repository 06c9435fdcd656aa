import { afterAll, expect, test } from 'vitest';
import { quantile } from '../../src/study/statistics/estimate.ts';
import { DaemonClients, large, links } from '../fixtures/daemon-clients.ts';
import { ask, Daemons, eventually, guestsOf } from '../fixtures/daemons.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const daemons = new Daemons();
afterAll(() => daemons.end());

const moving = {
  name: 'moving',
  pages: 4_096,
  program: { kind: 'saturating', pages: 600, writesPerSecond: 3_000 },
};
const move = {
  link: { rate: '80Mbit/s', stopRate: '80Mbit/s' },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
};

/** @returns its downtime */
async function moved(from: ServedDaemon, to: ServedDaemon): Promise<number> {
  const { body } = await eventually(
    () => ask(from, 'POST', '/api/migrations', { guest: 'moving', to: 'other', ...move }),
    ({ status }) => status === 202,
  );
  const { body: view } = await eventually(
    () => ask(from, 'GET', `/api/migrations/${body.id}`),
    ({ body: { endedAt } }) => endedAt !== null,
  );
  expect(view.state).toBe('completed');
  await eventually(guestsOf(to), (guests) =>
    guests.some(({ name, state }) => name === 'moving' && state === 'running'),
  );
  return view.record.downtimeNs;
}

test('a migration is stopped for as long beside hundreds who watch and ask as beside nobody', async () => {
  const doors = [await freePort(), await freePort()];
  const [alpha, beta] = await Promise.all(
    [[moving, large], [large]].map((guests, index) =>
      daemons.start(['alpha', 'beta'][index]!, {
        receive: { listen: `127.0.0.1:${doors[index]}` },
        peers: { other: { address: `127.0.0.1:${doors[1 - index]}` } },
        links,
        guests,
      }),
    ),
  );
  const [alone, beside]: number[][] = [[], []];
  for (let turn = 0; turn < 2; turn++) {
    alone!.push(await moved(alpha!, beta!));
    await moved(beta!, alpha!);
    const clients = await Promise.all(
      [alpha!, beta!].map(({ address }) => DaemonClients.start(address, 300, 20)),
    );
    beside!.push(await moved(alpha!, beta!));
    for (const one of clients) one.end();
    await moved(beta!, alpha!);
  }
  expect(quantile(beside!, 0.5)).toBeLessThan(1.5 * quantile(alone!, 0.5));
}, 300_000);
