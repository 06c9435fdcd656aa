import type { Credentials } from '../src/transport/credentials.ts';
import { Host } from '../src/worlds/threads/host.ts';

/** The other process: a destination with the credentials that it is told; says its port, and what it has used of the processors. */
process.on('message', async (words: Credentials | 'used') => {
  if (words === 'used') {
    const { user, system } = process.cpuUsage();
    process.send!(1e3 * (user + system));
  } else {
    const { address } = await Host.listen({ host: '127.0.0.1', port: 0, ...words, log: () => {} });
    process.send!(address.port);
  }
});
process.once('disconnect', () => process.exit());
