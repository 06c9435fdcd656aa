import type { Command } from 'commander';
import { clockNs } from '../platform/clock.ts';
import { usageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { addressOfDomain } from '../qemu/domain-address.ts';
import type { WatchEvent } from '../run/watch/watch-event.ts';
import { followAll, WatchedMonitor } from '../run/watch/watched-monitor.ts';
import { folded } from '../study/tables/folded.ts';
import { formatAddress, parseAddress } from '../transport/address.ts';
import type { Exit } from './exit.ts';
import { lineOutput } from './line-output.ts';
import { nextSignal } from './next-signal.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { quantityOf } from './quantity-option.ts';
import { print } from './standard-streams.ts';
import { WatchLines } from './watch-lines.ts';

interface Options extends OutputOptions {
  readonly qmp?: readonly string[];
  readonly domain?: readonly string[];
  readonly stopRate?: string;
  readonly listen?: string;
}

/** `switchover watch`: migrations of QEMUs that somebody else has started, until it is told to end. */
export function watchCommand(command: Command, exit: Exit): void {
  command
    .option('--qmp <socket...>', 'monitors of QEMU (QMP), each of which nobody else uses')
    .option('--domain <name...>', 'domains of libvirt on this host')
    .option(
      '--stop-rate <rate>',
      'b_d, what the stop has (default: as QEMU was told, or as live rounds have)',
    )
    .option('--listen <host:port>', 'answer Prometheus there, at /metrics; port 0 picks a free port')
    .addOption(jsonOption('one event a line'))
    .addOption(wideOption())
    .addHelpText(
      'after',
      '\nOn a terminal there is a line a second for each migration that goes on, elsewhere one\nwhen something changes or every 10 s. A QEMU that ends is connected to again. SIGINT\n(Ctrl-C) and SIGTERM end it.',
    )
    .action(async (options: Options) => exit(await action(options)));
}

async function action(options: Options): Promise<number> {
  const told = { stopRateBytesPerSecond: quantityOf('rate', '--stop-rate', options.stopRate) };
  const address = options.listen === undefined ? undefined : parseAddress(options.listen, '--listen');
  const { qmp = [], domain = [] } = options;
  const sockets = [...new Set([...qmp, ...domain.map(addressOfDomain)])];
  if (sockets.length === 0)
    throw usageError('--qmp', 'at least one --qmp SOCKET or --domain NAME', undefined);
  const signal = nextSignal();
  const events = lineOutput(options.json);
  const lines = new WatchLines({ isTerminal: process.stdout.isTTY === true, isAlone: sockets.length === 1 });
  const monitors = sockets.map((socket) => new WatchedMonitor(socket, told, report));
  // What answers Prometheus is loaded only here.
  const exporter =
    address && (await (await import('../daemon/watch-exporter.ts')).WatchExporter.listen(address, monitors));
  if (exporter) tell(`metrics at http://${formatAddress(exporter.address)}/metrics\n`);
  try {
    await Promise.race([followAll(monitors), signal]);
  } finally {
    for (const monitor of monitors) monitor.close();
    exporter?.close();
    events.close();
  }
  return 0;

  function report(event: WatchEvent): void {
    exporter?.happened(event);
    events.write(() => JSON.stringify(event));
    const line = options.json === '-' ? undefined : lines.lineOf(event, clockNs());
    if (line !== undefined) print(folded(line, widthOf(options)));
  }
}
