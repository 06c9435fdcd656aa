import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonClients } from '../test/fixtures/daemon-clients.ts';

/** Clients of a daemon, in a process of their own: says `ready`, and what they were answered once its input ends. */
const [address = ''] = process.argv.slice(2);
const clients = await DaemonClients.start(address, 1_000, 50);
await sleep(1_000);
console.log('ready');
process.stdin.resume().once('end', () => {
  console.log(clients.told);
  process.exit();
});
