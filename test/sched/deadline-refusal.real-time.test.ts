import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { reasonOf } from '../../src/platform/failure.ts';
import { endAll, server, start } from '../fixtures/processors.ts';

afterEach(endAll);

const threads = () => readdirSync('/proc/self/task').length;

// Alone, since until the refusal those that were admitted take nearly all time of all processors.
test('more than the kernel lets be reserved is refused beside what this run holds, and nothing runs on', async ({
  skip,
}) => {
  const refused = await start('deadline', [server('trial', 1, 10)]).then(
    () => undefined,
    (cause) => reasonOf(cause),
  );
  skip(refused !== undefined, `the kernel keeps no reservations here: ${refused}`);
  await endAll();
  await sleep(100);
  const before = threads();
  const asked = Array.from({ length: availableParallelism() + 1 }, (_, index) => server(`S${index}`, 9, 10));
  await expect(start('deadline', asked)).rejects.toThrow(
    /0\.90 of a processor is asked for, this run holds \d+\.\d\d already and others \d+\.\d\d, of \d+\.\d\d that the kernel lets be reserved.*EBUSY/,
  );
  expect(threads()).toBe(before);
});
