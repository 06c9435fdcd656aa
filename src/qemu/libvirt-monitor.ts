import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';
import { Failure } from '../platform/failure.ts';
import { NO_VIRSH, virshEnvironment, whyNot } from './virsh.ts';

/** One at a time: libvirt's shell answers in order. */
interface Command {
  readonly id: number;
  readonly text: string;
}

const SAID_BY_QEMU = /^\{.*"(return|error)":/;
const EVENT = /^event (\S+) at (\d+)\.(\d+) for domain '.*?': (.*)$/;
/** Of a libvirt on this host. Another one's QEMU cannot migrate to a socket here. */
const HERE = /^qemu(\+unix)?:\/\/\//;

/**
 * The monitor of a QEMU that libvirt has started. It is libvirt's, who passes on commands (`virsh qemu-monitor-command`) and events
 * (`virsh qemu-monitor-event`), so that the domain needs no second one and is not started anew. Lines of QMP go in and
 * come out as from a monitor's socket. libvirt marks the domain as tainted: custom-monitor.
 */
export class LibvirtMonitor extends Duplex {
  readonly #domain: string;
  readonly #commands: ChildProcessWithoutNullStreams;
  readonly #events: ChildProcessWithoutNullStreams;
  readonly #waiting: Command[] = [];
  #asked: Command | undefined;
  #text = '';

  private constructor(domain: string) {
    super();
    this.#domain = domain;
    const virsh = (...args: readonly string[]) =>
      spawn('setpriv', ['--pdeathsig', 'KILL', 'virsh', '-q', ...args], { env: virshEnvironment });
    this.#commands = virsh();
    // It says where it is connected to before it listens.
    this.#events = virsh(`uri; qemu-monitor-event --domain=${domain} --loop`);
    for (const child of [this.#commands, this.#events]) {
      child.on('error', () => this.destroy(new Failure(NO_VIRSH)));
      child.on('exit', () => this.destroy(new Failure('libvirt does not answer any more')));
      child.stdin.on('error', () => {});
    }
    this.#events.stderr.on('data', (said) => this.destroy(new Failure(whyNot(String(said)))));
    this.#commands.stderr.on('data', (said) => this.#refused(whyNot(String(said))));
    createInterface(this.#commands.stdout).on('line', (line) => this.#answered(line));
  }

  /** @param domain its UUID @throws Failure libvirt does not answer, or is on another host */
  static async open(domain: string): Promise<LibvirtMonitor> {
    const monitor = new LibvirtMonitor(domain);
    const events = createInterface(monitor.#events.stdout);
    const uri = await new Promise<string>((resolve, reject) => {
      events.once('line', resolve);
      monitor.once('error', reject);
    });
    events.on('line', (line) => monitor.#happened(line));
    if (HERE.test(uri)) return monitor;
    monitor.destroy();
    throw new Failure(`it is at ${uri}; only a domain of this host can be reached`);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, taken: () => void): void {
    const lines = (this.#text + chunk.toString('utf8')).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) {
      const { id, ...command } = JSON.parse(line) as { readonly id: number };
      this.#waiting.push({ id, text: JSON.stringify(command) });
    }
    this.#ask();
    taken();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#commands.kill('SIGKILL');
    this.#events.kill('SIGKILL');
    done(error);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = this.#waiting.shift();
    if (!this.#asked) return;
    // In the single quotes of its shell nothing but their end is special.
    const text = this.#asked.text.replaceAll("'", '\\u0027');
    this.#commands.stdin.write(`qemu-monitor-command ${this.#domain} '${text}'\n`);
  }

  /** Among its answers are the shell's prompt and an echo of what it was told. */
  #answered(line: string): void {
    const text = line.replace(/^virsh [#>] /, '');
    if (!SAID_BY_QEMU.test(text) || !this.#asked) return;
    this.#say({ ...JSON.parse(text), id: this.#asked.id });
    this.#next();
  }

  /** By libvirt, before QEMU has heard of it. */
  #refused(desc: string): void {
    if (!this.#asked) return;
    this.#say({ id: this.#asked.id, error: { class: 'GenericError', desc } });
    this.#next();
  }

  #happened(line: string): void {
    const [, event, seconds, fraction, data] = EVENT.exec(line) ?? [];
    if (event === undefined) return;
    const timestamp = { seconds: Number(seconds), microseconds: Number(fraction) };
    this.#say({ event, timestamp, ...(data?.startsWith('{') && { data: JSON.parse(data) }) });
  }

  #next(): void {
    this.#asked = undefined;
    this.#ask();
  }

  #say(message: object): void {
    this.push(`${JSON.stringify(message)}\n`);
  }
}
