import type { Command } from 'commander';
import { usageError } from '../platform/problem.ts';
import { addressOfDomain } from '../qemu/domain-address.ts';

/** By which monitor a running virtual machine is asked. */
export interface MonitorOptions {
  /** A socket; once it is known which one is meant, also the address of a domain's. */
  readonly qmp?: string;
  readonly domain?: string;
}

/** Beside `--qmp SOCKET`. */
export function addDomainOption(command: Command): Command {
  return command.option('--domain <name>', 'instead of --qmp, the VM of this domain of libvirt on this host');
}

/** The same options with the monitor's address as `qmp`. @throws UsageError both are given */
export function withMonitor<Options extends MonitorOptions>(options: Options): Options {
  const { qmp, domain } = options;
  if (domain === undefined) return options;
  if (qmp !== undefined) throw usageError('--domain', 'only one of --qmp and --domain', domain);
  return { ...options, qmp: addressOfDomain(domain) };
}
