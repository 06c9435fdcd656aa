import { spawn } from 'node:child_process';
import { Server as TlsServer } from 'node:tls';
import { Command } from 'commander';
import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import { version } from '../platform/package.ts';
import { UsageError } from '../platform/problem.ts';
import { formatAddress, parseAddress } from '../transport/address.ts';
import { encryptionRemark } from '../transport/credentials.ts';
import { tell } from './standard-streams.ts';

interface Options {
  readonly config: string;
  readonly listen: string;
}

/** `switchover serve`: a host of guests with an API, metrics and a page, until it is told to end. */
export function serveCommand(exit: (code: number) => void): Command {
  return new Command('serve')
    .description('run a daemon that hosts guests and migrates them, with an HTTP API, metrics and a web page')
    .requiredOption('--config <file>', 'configuration (YAML), such as config/daemon.yaml')
    .option('--listen <host:port>', 'address of the API; port 0 picks a free port', '127.0.0.1:7070')
    .addHelpText(
      'after',
      '\nSIGTERM and SIGINT let running migrations finish, then end the daemon; a second signal ends it at once.\nSIGHUP reloads the configuration.',
    )
    .action(async (options: Options) => exit(await action(options)));
}

async function action({ config, listen }: Options): Promise<number> {
  const address = parseAddress(listen, '--listen');
  // Loaded only here, as they take as long as half of all other commands together.
  const [{ pino }, { loadConfiguration }, { Daemon }, { serverOf }] = await Promise.all([
    import('pino'),
    import('../daemon/configuration.ts'),
    import('../daemon/daemon.ts'),
    import('../daemon/server.ts'),
  ]);
  const configuration = loadConfiguration(config);
  const isLoopback = /^(127\.|localhost$|::1$)/.test(address.host);
  if (configuration.apiKey === undefined && !isLoopback) {
    throw new Refusal(
      `listening on ${address.host} needs a key: give one with api.keyFile, or listen on 127.0.0.1`,
    );
  }
  const log = pino({ base: { name: configuration.name } }, { write: (line) => tell(line) });
  if (!isLoopback && !configuration.apiTls)
    log.warn(
      'the API is not encrypted, and its key can be read on the way: give it a certificate with api.tls',
    );
  const daemon = await Daemon.start(version, configuration, (line) => log.info(line));
  const server = await serverOf(daemon, log, version);
  try {
    await server.listen(address).catch((cause) => {
      throw new Failure(`cannot listen on ${listen}: ${reasonOf(cause)}`);
    });
    const reload = () => {
      try {
        const waits = daemon.reload(() => loadConfiguration(config));
        const { apiTls } = daemon.configuration;
        if (apiTls && server.server instanceof TlsServer) server.server.setSecureContext(apiTls);
        log.info(
          `configuration reloaded${waits.length > 0 ? `; a restart is needed for ${waits.join(', ')}` : ''}`,
        );
      } catch (cause) {
        if (!(cause instanceof UsageError || cause instanceof Failure)) throw cause;
        log.error(`the old configuration is kept: ${cause.message}`);
      }
    };
    process.on('SIGHUP', reload);
    const first = Promise.race([nextSignal(), starterGone()]);
    const { port } = server.server.address() as { port: number };
    const https = configuration.apiTls ? ' (HTTPS)' : '';
    const { receive } = configuration;
    const told = [
      `listening on ${formatAddress({ host: address.host, port })}${https}`,
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
    await server.close();
  }
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

/** Whoever has started this with a channel to it (child_process, `ipc`) is not outlived, however it ends. */
function starterGone(): Promise<string> {
  return new Promise((resolve) => {
    process.once('disconnect', () => resolve('the parent process has ended'));
  });
}

/** Where systemd started this and waits to be told (sd_notify). */
function tellSystemd(what: string): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  spawn('systemd-notify', [what, `--pid=${process.pid}`], { stdio: 'ignore' }).on('error', () => {});
}
