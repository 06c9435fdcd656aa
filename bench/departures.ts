import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { clockNs } from '../src/platform/clock.ts';
import { Pacer } from '../src/transport/pacer.ts';

/** The sending process of the comparison: sends for a while, held to a rate in one of three ways. */
const [way, rateText, secondsText, depthText, host, port] = process.argv.slice(2) as [
  'ours' | 'timer' | 'unpaced',
  string,
  string,
  string,
  string,
  string,
];
const rate = Number(rateText);
const portion = Buffer.alloc((way === 'ours' ? 16 : 64) * 1024, 1);
const socket = connect(Number(port), host);
socket.setNoDelay(true);
await new Promise((resolve) => socket.once('connect', resolve));
const endsAtNs = clockNs() + Number(secondsText) * 1e9;
const write = () => new Promise((resolve) => socket.write(portion, resolve));

if (way === 'ours') {
  const pacer = new Pacer(Number(depthText), { checkpoint: () => {}, block: () => {}, unblock: () => {} });
  pacer.setRate(rate);
  while (clockNs() < endsAtNs) {
    await pacer.wait(portion.length);
    pacer.sent(portion.length);
    await write();
  }
} else {
  // A limiter as it is often written: send a portion, sleep for the time that it is worth.
  while (clockNs() < endsAtNs) {
    await write();
    if (way === 'timer') await sleep((1e3 * portion.length) / rate);
  }
}
socket.end(() => process.exit(0));
