import { expect, test } from 'vitest';
import { isLoopback } from '../../src/transport/loopback.ts';

test('only addresses of this host are loopback, and no name that begins like one', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost'])
    expect(isLoopback(host), host).toBe(true);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example', '127.0.0.1.example', 'localhost.example'])
    expect(isLoopback(host), host).toBe(false);
});
