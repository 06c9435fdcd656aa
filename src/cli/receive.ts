import type { Command } from 'commander';
import { parseSize } from '../core/units.ts';
import { usageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { formatAddress, parseAddress } from '../transport/address.ts';
import { encryptionRemark } from '../transport/credentials.ts';
import { Host } from '../worlds/threads/host.ts';
import { addCredentialOptions, credentialsOf } from './credential-options.ts';
import type { Exit } from './exit.ts';
import { nextSignal } from './next-signal.ts';
import { type ReceiveMachineOptions, receiveMachine } from './receive-machine.ts';

interface Options extends ReceiveMachineOptions {
  readonly pages?: string;
  readonly pageSize?: string;
}

/** `switchover receive`: a destination that takes in one migration after another until it is told to end. */
export function receiveCommand(command: Command, exit: Exit): void {
  command.option('--listen <host:port>', 'address to listen on; port 0 picks a free port', '127.0.0.1:0');
  addCredentialOptions(command, 'accept only sources that have the same key, and encrypt from it')
    .option('--pages <n>', 'accept only guests with this many pages')
    .option('--page-size <size>', 'accept only guests with pages of this size')
    .option('--journal <folder>', 'keep a journal of every migration in this folder, for switchover recover')
    .option(
      '--qmp <socket>',
      'take in one virtual machine for the QEMU with this monitor, which waits for it',
    )
    .option(
      '--exec <command>',
      "the same for a QEMU that this shell command starts; '-qmp … -incoming defer -S' is put behind it",
    )
    .addHelpText(
      'after',
      '\nBeyond this host it listens only with a key or with certificates, and everything\nis encrypted (TLS 1.3). The source must be given the same: the same key, or\ncertificates of the same authority.\n\nThe command of --exec is that of the machine at its source, without -daemonize,\nand without a monitor of ours. Its QEMU has ended when this program ends, unless\na machine has come; then both are told where its monitor is, this program ends,\nand QEMU goes on. If a move fails, the command is started again for the next.',
    )
    .action(async (options: Options) => exit(await action(options)));
}

async function action(options: Options): Promise<number> {
  const credentials = credentialsOf(options);
  const log = (line: string) => tell(`${line}\n`, process.stdout);
  if (options.qmp !== undefined || options.exec !== undefined) return receiveMachine(options, log);
  const destination = await Host.listen({
    ...{ ...parseAddress(options.listen, '--listen'), ...credentials },
    pages: quantity('--pages', options.pages, 'a whole number'),
    pageSizeBytes: quantity('--page-size', options.pageSize, 'a size such as 4KiB'),
    journals: options.journal,
    log,
  });
  log(`listening on ${formatAddress(destination.address)}${encryptionRemark(credentials)}`);
  await nextSignal();
  await destination.close();
  return 0;
}

function quantity(flag: string, text: string | undefined, expected: string): number | undefined {
  if (text === undefined) return undefined;
  const value = parseSize(text);
  if (value === undefined || value < 1) throw usageError(flag, expected, text);
  return value;
}
