import type { MigrationSettings } from './migration-settings.ts';

/**
 * Capabilities with which a stream has what nobody here reads, or is none (qapi/migration.json). A version knows some of
 * them.
 */
export const unreadableWith = [
  ...['multifd', 'xbzrle', 'compress', 'zero-copy-send', 'mapped-ram', 'x-ignore-shared'],
  ...['rdma-pin-all', 'x-colo', 'background-snapshot', 'postcopy-ram', 'postcopy-preempt'],
  ...['dirty-bitmaps', 'block'],
] as const;

/** What of a machine's settings has to be set so that its stream can be read; empty: nothing. */
export function plainStreamSettings({ capabilities, parameters }: MigrationSettings): MigrationSettings {
  const on = unreadableWith.filter((name) => capabilities[name] === true);
  return {
    capabilities: Object.fromEntries(on.map((name) => [name, false])),
    parameters: parameters['tls-creds'] ? { 'tls-creds': '' } : {},
  };
}
