import { expect, test } from 'vitest';
import { type MonitorOptions, withMonitor } from '../../src/cli/monitor-option.ts';

test('a domain is a monitor like another', () => {
  expect(withMonitor<MonitorOptions>({ domain: 'web' }).qmp).toBe('libvirt:web');
  expect(withMonitor({ qmp: '/run/vm.qmp' }).qmp).toBe('/run/vm.qmp');
});

test('a domain and a socket at once are refused', () => {
  expect(() => withMonitor({ domain: 'web', qmp: '/run/vm.qmp' })).toThrow(
    '--domain: expected only one of --qmp and --domain',
  );
});
