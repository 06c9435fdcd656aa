/** What an archive holds: regular files, folders, links and a character device. */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly name: string }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array; readonly mode: number }
  | { readonly kind: 'device'; readonly name: string; readonly major: number; readonly minor: number };

/** Of a file's mode, what it is (inode(7)). */
const kinds = { folder: 0o040755, file: 0o100000, device: 0o020600 } as const;

/**
 * An archive as the kernel unpacks it at boot (Documentation/driver-api/early-userspace/buffer-format.rst: newc).
 * Folders must come before what lies in them.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const pieces = entries.flatMap((entry, index) => pieceOf(entry, index + 1));
  return Buffer.concat([...pieces, ...pieceOf({ kind: 'file', name: 'TRAILER!!!', ...nothing }, 0)]);
}

const nothing = { bytes: new Uint8Array(0), mode: 0 };

function pieceOf(entry: CpioEntry, inode: number): readonly Uint8Array[] {
  const bytes = entry.kind === 'file' ? entry.bytes : nothing.bytes;
  const mode = kinds[entry.kind] | (entry.kind === 'file' ? entry.mode : 0);
  const [major, minor] = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0];
  const name = Buffer.from(`${entry.name}\0`);
  // inode, mode, user, group, links, time, size, device, device's number, name's length, no checksum
  const fields = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(
    `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`,
    'latin1',
  );
  return [header, name, padding(header.length + name.length), bytes, padding(bytes.length)];
}

/** Header with name, and contents, each fill whole words of four bytes. */
function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
