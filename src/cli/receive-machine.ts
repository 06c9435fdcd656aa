import { insisting } from '../scenario/checked.ts';
import { formatAddress, parseAddress } from '../transport/address.ts';
import { encryptionRemark } from '../transport/credentials.ts';
import { MachineReceiver } from '../worlds/qemu/machine-receiver.ts';
import { StartedQemu } from '../worlds/qemu/started-qemu.ts';
import { type CredentialOptions, credentialsOf } from './credential-options.ts';
import { nextSignal } from './next-signal.ts';

export interface ReceiveMachineOptions extends CredentialOptions {
  readonly listen: string;
  readonly qmp?: string;
  readonly exec?: string;
  readonly journal?: string;
}

/** Options that are for guests of ours. */
const forOthers = ['pages', 'pageSize'] as const;

/**
 * A machine of somebody else: QEMU takes it in. One that was started here is left alone once it has a machine, and ends otherwise.
 * @throws UsageError options that are for other guests @throws Failure the command starts no QEMU that waits
 */
export async function receiveMachine(
  {
    qmp,
    exec,
    ...options
  }: ReceiveMachineOptions & { readonly [Flag in (typeof forOthers)[number]]?: string },
  log: (line: string) => void,
): Promise<number> {
  insisting((insist) => {
    insist(qmp === undefined || exec === undefined, '--exec', 'either --qmp SOCKET or --exec COMMAND', exec);
    const nothing = 'nothing beside --qmp and --exec: the QEMU that waits says what it takes in';
    for (const flag of forOthers) {
      const words = `--${flag.replace('S', '-s')}`;
      insist(options[flag] === undefined, words, nothing, options[flag]);
    }
  });
  const credentials = credentialsOf(options);
  const where = parseAddress(options.listen, '--listen');
  const started = exec === undefined ? undefined : await StartedQemus.by(exec);
  let runs = () => {};
  const isRunning = new Promise<void>((resolve) => {
    runs = resolve;
  });
  try {
    const receiver = await MachineReceiver.listen({
      ...{ ...where, ...credentials, log, journals: options.journal },
      waiting: async () => qmp ?? (await started!.waiting()),
      arrived: (how) => {
        started?.keep();
        if (how === 'running' && started) runs();
      },
    });
    log(`listening on ${formatAddress(receiver.address)}${encryptionRemark(credentials)}`);
    await Promise.race([nextSignal(), isRunning]);
    receiver.close();
  } finally {
    const left = await started?.end();
    if (left !== undefined) log(`its QEMU goes on without us; its monitor: ${left}`);
  }
  return 0;
}

/** One QEMU after the other that a command starts: the next when the last one has ended with its move. */
class StartedQemus {
  readonly #command: string;
  #last: StartedQemu;

  private constructor(command: string, first: StartedQemu) {
    this.#command = command;
    this.#last = first;
  }

  static async by(command: string): Promise<StartedQemus> {
    return new StartedQemus(command, await StartedQemu.start(command));
  }

  /** @returns its monitor */
  async waiting(): Promise<string> {
    if (this.#last.hasEnded) {
      await this.#last.end();
      this.#last = await StartedQemu.start(this.#command);
    }
    return this.#last.socket;
  }

  keep(): void {
    this.#last.isKept = true;
  }

  /** @returns the monitor of the one that goes on, if one does */
  async end(): Promise<string | undefined> {
    const { socket, isKept, hasEnded } = this.#last;
    await this.#last.end();
    return isKept && !hasEnded ? socket : undefined;
  }
}
