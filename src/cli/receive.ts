import { Command } from 'commander';
import { parseSize } from '../core/units.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { formatAddress, parseAddress } from '../transport/address.ts';
import { readKey } from '../transport/key-file.ts';
import { Host } from '../worlds/threads/host.ts';
import { tell } from './standard-streams.ts';

interface Options {
  readonly listen: string;
  readonly keyFile?: string;
  readonly pages?: string;
  readonly pageSize?: string;
  readonly journal?: string;
}

/** `switchover receive`: a destination that takes in one migration after another until it is told to end. */
export function receiveCommand(exit: (code: number) => void): Command {
  return new Command('receive')
    .description('run a destination that accepts migrations until it is stopped')
    .option('--listen <host:port>', 'address to listen on; port 0 picks a free port', '127.0.0.1:0')
    .option(
      '--key-file <file>',
      'accept only sources that have the same key; required to listen beyond this host',
    )
    .option('--pages <n>', 'accept only guests with this many pages')
    .option('--page-size <size>', 'accept only guests with pages of this size')
    .option('--journal <folder>', 'keep a journal of every migration in this folder, for switchover recover')
    .addHelpText(
      'after',
      '\nThe key controls who may connect. The data is neither encrypted nor authenticated byte by byte:\non a network that others can reach, use a tunnel (ssh, WireGuard).',
    )
    .action(async (options: Options) => exit(await action(options)));
}

async function action(options: Options): Promise<number> {
  const log = (line: string) => tell(`${line}\n`, process.stdout);
  const destination = await Host.listen({
    ...parseAddress(options.listen, '--listen'),
    key: options.keyFile === undefined ? undefined : readKey(options.keyFile),
    pages: quantity('--pages', options.pages, 'a whole number'),
    pageSizeBytes: quantity('--page-size', options.pageSize, 'a size such as 4KiB'),
    journals: options.journal,
    log,
  });
  log(`listening on ${formatAddress(destination.address)}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await destination.close();
  return 0;
}

function quantity(flag: string, text: string | undefined, expected: string): number | undefined {
  if (text === undefined) return undefined;
  const value = parseSize(text);
  if (value === undefined || value < 1) throw new UsageError([{ path: flag, expected, found: shown(text) }]);
  return value;
}
