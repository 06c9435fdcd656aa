import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** A host in a process of its own, which does what it is told and answers; it ends with whoever started it. */
const [built, options] = process.argv.slice(2);
const { Host } = await import(pathToFileURL(`${built}/worlds/threads/host.js`).href);
const { drive } = await import(pathToFileURL(`${built}/run/drive.js`).href);

const host = await Host.listen({
  host: '127.0.0.1',
  port: 0,
  log: () => {},
  ...JSON.parse(options, (key, value) => (key === 'key' ? Buffer.from(value, 'base64') : value)),
});

// The thread that answers for the kernel stays: it is there before threads are counted.
const { unsentQuestions } = await import(pathToFileURL(`${built}/transport/unsent/unsent-thread.js`).href);
unsentQuestions();

const mallocTrim = trimmer();

const commands = {
  boot: (definition) => host.boot(definition),
  guests: () => host.guests(),
  pause: (name) => host.pause(name),
  resume: (name) => host.resume(name),
  hash: (name) => host.hash(name),
  remove: (name) => host.remove(name),
  cancel: (name, why) => host.cancel(name, why),
  settle: (name, owner) => host.settle(name, owner),
  async migrate(name, plan, cpu, to) {
    const key = to.key === null ? null : Buffer.from(to.key, 'base64');
    const world = await host.migrate(name, { plan, cpu }, { ...to, key });
    try {
      return await drive(plan, world);
    } finally {
      await world.close();
    }
  },
  /** What the kernel says this process holds, and its own account, once what it has let go of was collected and given back. */
  held() {
    globalThis.gc();
    mallocTrim?.(0);
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const count = (folder) => readdirSync(`/proc/self/${folder}`).length;
    return { descriptors: count('fd'), threads: count('task'), rss, heapUsed, arrayBuffers };
  },
  close: () => host.close(),
};

/**
 * malloc_trim(3). The C library keeps what was freed: its heap, which the threads share, rises to 150 MB and sinks again without
 * anybody's holding more.
 */
function trimmer() {
  try {
    return createRequire(import.meta.url)('koffi')
      .load(null)
      .func('int malloc_trim(size_t pad)');
  } catch {
    return undefined;
  }
}

process.on('message', async ({ number, command, args }) => {
  try {
    process.send({ number, answer: await commands[command](...args) });
  } catch (cause) {
    process.send({ number, why: cause.message });
  }
});
process.once('disconnect', () => process.exit());
process.send({ number: 0, answer: host.address });
