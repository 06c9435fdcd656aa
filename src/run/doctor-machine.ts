import { printable } from '../platform/failure.ts';
import { connectMonitor } from '../qemu/connect-monitor.ts';
import { type MigrationSettings, readSettings } from '../qemu/migration-settings.ts';
import { unreadableWith } from '../qemu/plain-stream.ts';
import type { Qmp } from '../qemu/qmp.ts';
import { afterwardsInLibvirt } from './after-libvirt.ts';
import type { Finding } from './doctor.ts';

/** The first version that says when its guest may stop, and takes a threshold (docs/recording.md). */
const FIRST_WITH_PLAN = [8, 2] as const;
/** The first version that was seen to lose no write without KVM. */
const FIRST_EXACT_TCG = [10, 0] as const;
const ORDINARY_PAGES = '4 KiB';

/**
 * Whether this QEMU's machine can be rehearsed and moved under a plan, and what to change. Nothing is changed here.
 * @throws Failure its monitor cannot be asked
 */
export async function examineMachine(socket: string): Promise<readonly Finding[]> {
  const qmp = await connectMonitor(socket);
  try {
    const [version, settings] = [await versionOf(qmp), await readSettings(qmp)];
    return [
      ofVersion(version),
      await ofState(qmp),
      ...(await ofBlockers(qmp)),
      await ofDevices(qmp),
      ofCapabilities(settings),
      ofEncryption(settings),
      await ofDirtyLog(qmp, version),
      await ofMemory(qmp),
      await ofDisks(qmp),
      await ofMonitors(qmp),
    ];
  } finally {
    qmp.close();
  }
}

type Version = readonly [major: number, minor: number, micro: number];

async function versionOf(qmp: Qmp): Promise<Version> {
  const { qemu } = await qmp.execute<{ readonly qemu: Record<'major' | 'minor' | 'micro', number> }>(
    'query-version',
  );
  return [qemu.major, qemu.minor, qemu.micro];
}

function isSince([major, minor]: Version, [sinceMajor, sinceMinor]: readonly [number, number]): boolean {
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

function ofVersion(version: Version): Finding {
  return finding(
    'version',
    isSince(version, FIRST_WITH_PLAN),
    version.join('.'),
    'older than 8.2: no rehearsal; in a move QEMU decides the page order, and only rates and stop are ours',
  );
}

async function ofState(qmp: Qmp): Promise<Finding> {
  const { status, running } = await qmp.execute<{ status: string; running: boolean }>('query-status');
  const { status: migration = 'none' } = await qmp.execute<{ status?: string }>('query-migrate');
  const isFree = ['none', 'completed', 'failed', 'cancelled'].includes(migration);
  const remedy = isFree
    ? 'a paused machine stays paused: continue it first'
    : 'wait for its migration, or cancel it';
  return finding(
    'machine',
    running && isFree,
    `${printable(status)}; its last migration: ${printable(migration)}`,
    remedy,
  );
}

/** QEMU's own reasons against any migration. */
async function ofBlockers(qmp: Qmp): Promise<readonly Finding[]> {
  const { 'blocked-reasons': reasons = [] } = await qmp.execute<{ 'blocked-reasons'?: readonly string[] }>(
    'query-migrate',
  );
  if (reasons.length === 0) return [finding('may migrate', true, 'QEMU knows nothing against it', '')];
  return reasons.map((reason) =>
    finding('may migrate', false, printable(reason), 'remove the device, or change what it names'),
  );
}

interface Child {
  readonly name: string;
  readonly type: string;
}

/** Devices that send something of their own while the guest runs, which nobody here reads. */
async function ofDevices(qmp: Qmp): Promise<Finding> {
  const places = ['/machine/peripheral', '/machine/peripheral-anon'];
  const children = await Promise.all(
    places.map((path) => qmp.execute<readonly Child[]>('qom-list', { path })),
  );
  const types = children.flat().flatMap(({ type }) => /^child<(.*)>$/.exec(type)?.[1] ?? []);
  const unread = types.filter((type) => /^(vfio|virtio-mem)/.test(type));
  return finding(
    'devices',
    unread.length === 0,
    unread.length === 0
      ? 'none that sends something of its own while the guest runs'
      : printable(unread.join(', ')),
    'it sends what is not understood here while the guest runs: unplug it for the move',
  );
}

function ofCapabilities({ capabilities }: MigrationSettings): Finding {
  const on = unreadableWith.filter((name) => capabilities[name] === true);
  return finding(
    'capabilities',
    on.length === 0,
    on.length === 0 ? 'none that changes the stream' : on.join(', '),
    'turn them off (migrate-set-capabilities); a rehearsal does so itself, and turns them on again',
  );
}

function ofEncryption({ parameters }: MigrationSettings): Finding {
  const isOff = !parameters['tls-creds'];
  return finding(
    'tls-creds',
    isOff,
    isOff ? 'not set' : printable(String(parameters['tls-creds'])),
    'set it to "": Switchover encrypts by its own key from host to host',
  );
}

async function ofDirtyLog(qmp: Qmp, version: Version): Promise<Finding> {
  const { enabled } = await qmp.execute<{ readonly enabled: boolean }>('query-kvm');
  if (enabled) return finding('dirty log', true, "KVM's", '');
  const isExact = isSince(version, FIRST_EXACT_TCG);
  const remedy = `without KVM, QEMU 7.2 loses writes in any migration; 10.0 did not, and versions between were not tried`;
  return finding('dirty log', isExact, "TCG's", remedy);
}

/** From QEMU's list for people, which alone says the sizes of pages. */
async function ofMemory(qmp: Qmp): Promise<Finding> {
  const text = await qmp.execute<string>('human-monitor-command', { 'command-line': 'info ramblock' });
  const blocks = [...text.matchAll(/^\s*(\S+)\s+(\d+ [KMG]iB)\s+0x/gm)].map(([, name, pages]) => ({
    name,
    pages,
  }));
  const large = blocks.filter(({ pages }) => pages !== ORDINARY_PAGES);
  const { 'base-memory': base } = await qmp.execute<{ 'base-memory': number }>('query-memory-size-summary');
  const found = `${(base / 2 ** 20).toFixed(0)} MiB; ${blocks.length} blocks`;
  return finding(
    'memory',
    large.length === 0,
    large.length === 0
      ? `${found} in pages of 4 KiB`
      : printable(`${found}; ${large.map(({ name, pages }) => `${name} in pages of ${pages}`).join(', ')}`),
    'huge pages are sent in pages of 4 KiB, but asked for whole: not tried here',
  );
}

interface Drive {
  readonly device: string;
  readonly inserted?: { readonly ro: boolean; readonly file: string };
}

async function ofDisks(qmp: Qmp): Promise<Finding> {
  const drives = await qmp.execute<readonly Drive[]>('query-block');
  const written = drives.flatMap(({ inserted }) => (inserted && !inserted.ro ? [inserted.file] : []));
  const found = written.length === 0 ? 'none is written' : printable(written.join(', '));
  return {
    ...finding('disks', true, found, ''),
    ...(written.length > 0 && { remedy: 'both hosts must have them: only memory and devices are moved' }),
  };
}

interface Chardev {
  readonly label: string;
  readonly filename: string;
}

/** Which of its monitors have a user. Ours is one of them. */
async function ofMonitors(qmp: Qmp): Promise<Finding> {
  const chardevs = await qmp.execute<readonly Chardev[]>('query-chardev');
  const monitors = chardevs.filter(({ label }) => /monitor|qmp|mon\d/i.test(label));
  const free = monitors.filter(({ filename }) => filename.startsWith('disconnected:'));
  const isLibvirts = monitors.some(({ label }) => label === 'charmonitor');
  const found = `${monitors.length}; free: ${free.length}${isLibvirts ? '; libvirt manages this machine' : ''}`;
  return {
    ...finding('monitors', true, found, ''),
    ...(isLibvirts && { remedy: afterwardsInLibvirt }),
  };
}

function finding(what: string, ok: boolean, found: string, remedy: string): Finding {
  return { what, ok, found, needed: true, ...(!ok && { remedy }) };
}
