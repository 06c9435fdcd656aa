import { quantile } from '../src/study/statistics/estimate.ts';
import { moveServed, type ServedMove, type Told } from './linux-guest/served-machine.ts';
import { newerQemu } from './moved-machine.ts';

const MOVES = 10;
/** What a client's gap may have beyond the downtime. */
const AIM_NS = 60e6;
const plan = [
  ...['link.rate=500Mbit/s', 'link.stopRate=1Gbit/s'],
  ...['migration.order=address', 'migration.stop.rounds=4'],
];

const ways = [
  'by us, before the stop',
  'by us at the stop, of QEMU alone',
  'by the machine, after it',
] as const;

/**
 * A Redis in the guest, written to from outside while somebody's machine moves: by the ways in which the network learns of it, and
 * by QEMU alone, which shows what of the gap has nothing to do with us.
 */
export async function redis(): Promise<void> {
  for (const told of ways) await served(told);
}

async function served(told: Told): Promise<void> {
  const moves: ServedMove[] = [];
  for (let move = 1; move <= MOVES; move++) {
    const one = await moveServed(newerQemu(), plan, told);
    moves.push(one);
    console.log(lineOf(told, one));
  }
  const beyond = moves.map(beyondNs);
  const kept = moves.filter(
    ({ completed, client }) => completed && client.failed === 0 && client.lost === 0 && client.repeated === 0,
  ).length;
  console.log(
    `the network is told ${told}: no request failed, no write lost or done twice in ${kept} of ${MOVES}; gap at most the downtime + ${ms(AIM_NS)} in ${beyond.filter((ns) => ns <= AIM_NS).length}; beyond it, ${ms(quantile(beyond, 0.5))} (${ms(Math.min(...beyond))} to ${ms(Math.max(...beyond))})\n`,
  );
}

function lineOf(told: Told, move: ServedMove): string {
  const { how, downtimeNs, client } = move;
  const { writes, failed, lost, repeated, retransmissions } = client;
  return [
    `${told}: ${how}, downtime ${ms(downtimeNs)}`,
    `gap ${ms(beyondNs(move) + downtimeNs)}; ${writes} writes answered, ${failed} failed, ${lost} lost, ${repeated} repeated; segments sent again ${retransmissions}`,
  ].join('; ');
}

/** By how much the client's longest gap is more than the downtime. */
function beyondNs({ downtimeNs, client }: ServedMove): number {
  return client.longestGap.untilNs - client.longestGap.fromNs - downtimeNs;
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms`;
}
