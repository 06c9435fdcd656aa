import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import type { ApiThread } from '../daemon/api-thread.ts';
import type { Log } from '../daemon/log.ts';
import { version } from '../platform/package.ts';
import { tell } from '../platform/tell.ts';
import { formatAddress, parseAddress } from '../transport/address.ts';
import { encryptionRemark } from '../transport/credentials.ts';
import { isLoopback } from '../transport/loopback.ts';
import type { Exit } from './exit.ts';
import { nextSignal } from './next-signal.ts';

interface Options {
  readonly config: string;
  readonly listen: string;
}

/** `switchover serve`: a host of guests with an API, metrics and a page, until it is told to end. */
export function serveCommand(command: Command, exit: Exit): void {
  command
    .requiredOption('--config <file>', 'configuration (YAML), such as config/daemon.yaml')
    .option('--listen <host:port>', 'address of the API; port 0 picks a free port', '127.0.0.1:7070')
    .addHelpText(
      'after',
      '\nSIGTERM and SIGINT let running migrations finish, then end the daemon; a second\nsignal ends it at once. SIGHUP reloads the configuration.',
    )
    .action(async (options: Options) => exit(await action(options)));
}

async function action({ config, listen }: Options): Promise<number> {
  const address = parseAddress(listen, '--listen');
  // Loaded only here, as they take as long as half of all other commands together.
  const [{ pino }, { loadConfiguration }, { Daemon }, { ApiThread }, { insistOnApiKey }] = await Promise.all([
    import('pino'),
    import('../daemon/configuration.ts'),
    import('../daemon/daemon.ts'),
    import('../daemon/api-thread.ts'),
    import('../daemon/exposure.ts'),
  ]);
  const load = () => {
    const loaded = loadConfiguration(config);
    insistOnApiKey(loaded, address);
    // It may listen on a name.
    return { ...loaded, apiHosts: [...loaded.apiHosts, address.host] };
  };
  const configuration = load();
  const log = pino({ base: { name: configuration.name } }, { write: (line) => tell(line) });
  if (!isLoopback(address.host) && !configuration.apiTls)
    log.warn(
      'the API is not encrypted, and its key can be read on the way: give it a certificate with api.tls',
    );
  const note: Log = (line, about = {}) => log.info(about, line);
  const daemon = await Daemon.open(configuration, note);
  const reload = () => {
    try {
      const waits = daemon.reload(load);
      log.info(
        `configuration reloaded${waits.length > 0 ? `; a restart is needed for ${waits.join(', ')}` : ''}`,
      );
    } catch (cause) {
      log.error(`the old configuration is kept: ${(cause as Error).message}`);
    }
  };
  process.on('SIGHUP', reload);
  let api: ApiThread | undefined;
  try {
    api = await ApiThread.start(daemon, version, address, (line) => log.error(line));
    await daemon.begin(note);
    const first = Promise.race([nextSignal(), starterGone()]);
    const https = configuration.apiTls ? ' (HTTPS)' : '';
    const { receive } = configuration;
    const told = [
      `listening on ${formatAddress(api.address)}${https}`,
      `guests arrive at ${formatAddress(daemon.address)}${encryptionRemark(receive)}`,
    ];
    tell(`${told.join('\n')}\n`, process.stdout);
    tellSystemd('--ready');
    const why = await first;
    const again = nextSignal();
    log.info(`${why}: draining; a second signal ends at once`);
    tellSystemd('--stopping');
    const ended = daemon.end((line) => log.warn(line)).then(() => 0);
    const code = await Promise.race([ended, again.then(() => 1)]);
    process.off('SIGHUP', reload);
    return code;
  } finally {
    await api?.end();
  }
}

/** Whoever has started this with a channel to it (child_process, `ipc`) is not outlived, however it ends. */
function starterGone(): Promise<string> {
  return new Promise((resolve) => {
    const gone = () => resolve('the parent process has ended');
    // It may have gone while this was starting.
    if (process.connected === false) gone();
    else process.once('disconnect', gone);
  });
}

/** Where systemd started this and waits to be told (sd_notify). */
function tellSystemd(what: string): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  spawn('systemd-notify', [what, `--pid=${process.pid}`], { stdio: 'ignore' }).on('error', () => {});
}
