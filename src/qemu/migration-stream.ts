import { inputLimits } from '../core/input-limits.ts';
import { beginsTls } from '../core/wire/tls-records.ts';
import { printable, Refusal } from '../platform/failure.ts';
import {
  flags,
  flagsAt,
  type MigrationStreamListener,
  PAGE_RECORD_BYTES,
  pagesAt,
  parts,
  QEMU_PAGE_BYTES,
  RAM_VERSION,
  type RamBlock,
  streamCommands,
  streamHead,
  ZERO_RECORD_BYTES,
} from './stream-layout.ts';

/** Of post-copy, packages, COLO and recovery: they change what follows. Later ones can be left out by their length. */
const REFUSED_COMMANDS = [3, 4, 5, 6, 7, 8, 9, 10];

const MOST_NAME_BYTES = 255;
const MOST_BLOCKS = 4096;

/** Asks for the next bytes of the stream, so many, and is given them. */
type Grammar<Result = void> = Generator<number, Result, Buffer>;

/**
 * Reads QEMU's migration stream (migration/savevm.c, ram.c; versions 7.2 to 10) as it passes, in chunks cut anywhere, and
 * changes nothing. It keeps no page and nothing of a page: it touches headers only. All numbers are big-endian.
 */
export class MigrationStreamParser {
  readonly #listener: MigrationStreamListener;
  readonly #grammar = this.#stream();
  /** The part of what the grammar wants next that has arrived in earlier chunks. */
  readonly #gathered = Buffer.alloc(MOST_NAME_BYTES);
  #gatheredBytes = 0;
  #wantedBytes: number;
  /** Bytes that nobody reads, before what is wanted. */
  #passedOver = 0;
  /** Of the stream, how many bytes have been read or passed over. */
  #atByte = 0;
  /** The number of RAM's section once it has begun. */
  #ramSection: number | undefined;
  #blocks: readonly RamBlock[] = [];
  /** Index of the block of the last page; −1 before the first. */
  #block = -1;
  /** Whether the next bytes that are wanted are the word that begins a record. */
  #isAtRecord = false;
  #areDevices = false;
  #refused: Refusal | undefined;

  constructor(listener: MigrationStreamListener) {
    this.#listener = listener;
    this.#wantedBytes = this.#grammar.next().value as number;
  }

  /** Whether what follows are devices. */
  get areDevices(): boolean {
    return this.#areDevices;
  }

  /**
   * Reads a chunk, and tells what it says.
   * @throws Refusal what is not understood here, and where. What was pushed before may be passed on, this chunk may not.
   */
  push(chunk: Buffer): void {
    if (this.#refused) throw this.#refused;
    const before = this.#atByte;
    for (let at = 0; at < chunk.length; at = this.#atByte - before) this.#read(chunk, at);
  }

  /** Reads on from there, by at least a byte. */
  #read(chunk: Buffer, at: number): void {
    const left = chunk.length - at;
    if (this.#areDevices) this.#atByte += left;
    else if (this.#passedOver > 0) {
      const passed = Math.min(this.#passedOver, left);
      this.#passedOver -= passed;
      this.#atByte += passed;
    } else if (this.#gatheredBytes > 0 || left < this.#wantedBytes) {
      const taken = Math.min(this.#wantedBytes - this.#gatheredBytes, left);
      chunk.copy(this.#gathered, this.#gatheredBytes, at, at + taken);
      this.#atByte += taken;
      this.#gatheredBytes += taken;
      if (this.#gatheredBytes < this.#wantedBytes) return;
      this.#gatheredBytes = 0;
      this.#give(this.#gathered.subarray(0, this.#wantedBytes));
    } else if (!this.#isAtRecord || this.#readCommonRecords(chunk, at) === 0) {
      const wanted = chunk.subarray(at, at + this.#wantedBytes);
      this.#atByte += wanted.length;
      this.#give(wanted);
    }
  }

  #give(bytes: Buffer): void {
    try {
      const { done, value } = this.#grammar.next(bytes);
      if (done) this.#areDevices = true;
      else this.#wantedBytes = value;
    } catch (cause) {
      if (cause instanceof Refusal) this.#refused = cause;
      throw cause;
    }
  }

  /**
   * Nearly all of a stream: pages of the block that the last page was of. What is anything else, or goes beyond the chunk or
   * the block, is left to the grammar.
   * @returns how many bytes were read
   */
  #readCommonRecords(chunk: Buffer, from: number): number {
    if (this.#block < 0) return 0;
    const { pages } = this.#blocks[this.#block]!;
    const base = this.#atByte - from;
    let at = from;
    while (at + ZERO_RECORD_BYTES <= chunk.length) {
      const kind = flagsAt(chunk, at);
      const page = pagesAt(chunk, at);
      if (page >= pages) break;
      if (kind === (flags.zero | flags.sameBlock)) {
        this.#listener.page(this.#block, page, true, base + at);
        at += ZERO_RECORD_BYTES;
      } else if (kind === (flags.page | flags.sameBlock)) {
        this.#listener.page(this.#block, page, false, base + at);
        at += PAGE_RECORD_BYTES + QEMU_PAGE_BYTES;
      } else break;
    }
    this.#passedOver = Math.max(0, at - chunk.length);
    this.#atByte = base + Math.min(at, chunk.length);
    return at - from;
  }

  *#stream(): Grammar {
    yield* this.#head();
    let kind = yield* byte();
    if (kind === parts.configuration) {
      this.#listener.machine(yield* this.#text(yield* word()));
      kind = yield* byte();
      if (kind === parts.subsection) {
        throw this.#refusal('a plain machine', `the configuration '${yield* this.#text(yield* byte())}'`);
      }
    }
    for (; ; kind = yield* byte()) {
      if (kind === parts.command) yield* this.#command();
      else if (kind === parts.sectionStart) yield* this.#start();
      else if ((kind === parts.sectionPart || kind === parts.sectionEnd) && this.#ramSection !== undefined) {
        yield* this.#ramOf(kind === parts.sectionPart ? 'part' : 'end');
        if (kind === parts.sectionEnd) break;
      } else if (kind === parts.sectionFull && this.#ramSection === undefined) {
        yield 4;
        throw this.#refusal('RAM first', `the device '${yield* this.#text(yield* byte())}'`);
      } else throw this.#refusal('a section or a command', `the byte ${kind}`);
    }
    // Devices do not say how long they are; a command does.
    while ((kind = yield* byte()) === parts.command) yield* this.#command();
    if (kind !== parts.sectionFull && kind !== parts.end)
      throw this.#refusal('a device after RAM', `the byte ${kind}`);
    this.#listener.devices(this.#atByte - 1);
  }

  *#head(): Grammar {
    const head = yield 8;
    if (beginsTls(head)) {
      throw this.#refusal('a stream that can be read', 'one under TLS (the parameter tls-creds)');
    }
    const [magic, version] = [head.readUInt32BE(0), head.readUInt32BE(4)];
    if (magic !== streamHead.magic)
      throw this.#refusal("QEMU's own stream", `the bytes ${head.toString('hex')}`);
    if (version !== streamHead.version)
      throw this.#refusal(`version ${streamHead.version}`, `version ${version}`);
  }

  *#command(): Grammar {
    const head = yield 4;
    const [kind, length] = [head.readUInt16BE(0), head.readUInt16BE(2)];
    if (kind === 0 || REFUSED_COMMANDS.includes(kind)) {
      throw this.#refusal('none of the commands of post-copy, COLO or a recovery', `command ${kind}`);
    }
    const isPing = kind === streamCommands.ping && length === 4;
    const argument = isPing ? yield* word() : 0;
    if (!isPing) this.#passedOver = length;
    this.#listener.command(kind, argument);
  }

  *#start(): Grammar {
    const section = yield* word();
    const name = yield* this.#text(yield* byte());
    const numbers = yield 8;
    const version = numbers.readUInt32BE(4);
    if (name !== 'ram' || this.#ramSection !== undefined) {
      throw this.#refusal('RAM alone to be sent while the guest runs', `'${name}'`);
    }
    if (version !== RAM_VERSION) {
      throw this.#refusal(`RAM in version ${RAM_VERSION}`, `version ${version}`);
    }
    const head = yield 8;
    if (flagsAt(head, 0) !== flags.blocks) {
      throw this.#refusal('a list of blocks', `the flags ${flagsAt(head, 0)}`);
    }
    yield* this.#blockList(pagesAt(head, 0));
    this.#ramSection = section;
    yield* this.#records(section, 'start');
  }

  /** @param pages of all blocks together */
  *#blockList(pages: number): Grammar {
    if (pages > inputLimits.guestPages) {
      throw this.#refusal(`at most ${inputLimits.guestPages} pages`, `${pages}`);
    }
    const blocks: RamBlock[] = [];
    let firstPage = 0;
    while (firstPage < pages && blocks.length < MOST_BLOCKS) {
      const name = yield* this.#text(yield* byte());
      const used = yield 8;
      const own = pagesAt(used, 0);
      if (flagsAt(used, 0) !== 0 || own === 0 || firstPage + own > pages) {
        throw this.#refusal('a block of whole pages, within the total', `block '${name}'`);
      }
      if (blocks.some((block) => block.name === name)) {
        throw this.#refusal('blocks of different names', `'${name}' twice`);
      }
      blocks.push({ name, pages: own, firstPage });
      firstPage += own;
    }
    if (firstPage < pages) throw this.#refusal(`at most ${MOST_BLOCKS} blocks`, 'more');
    this.#blocks = blocks;
    this.#listener.blocks(blocks);
  }

  *#ramOf(which: 'part' | 'end'): Grammar {
    const section = yield* word();
    if (section !== this.#ramSection) throw this.#refusal(`section ${this.#ramSection}`, `${section}`);
    yield* this.#records(section, which);
  }

  /** The body of a section, and the footer. */
  *#records(section: number, which: 'start' | 'part' | 'end'): Grammar {
    for (;;) {
      this.#isAtRecord = true;
      const head = yield 8;
      this.#isAtRecord = false;
      const atByte = this.#atByte - 8;
      const all = flagsAt(head, 0);
      const kind = all & ~flags.sameBlock;
      const page = pagesAt(head, 0);
      if (all === flags.bodyEnd) break;
      if (kind !== flags.zero && kind !== flags.page) {
        throw this.#refusal('pages as they are, or zero', `a record with the flags 0x${all.toString(16)}`);
      }
      if (kind === all) yield* this.#switchBlock();
      const block = this.#blocks[this.#block];
      if (!block || page >= block.pages) {
        throw this.#refusal('a page of a block', `page ${page} of ${block ? `'${block.name}'` : 'none'}`);
      }
      const isZero = kind === flags.zero;
      this.#passedOver = isZero ? 1 : QEMU_PAGE_BYTES;
      this.#listener.page(this.#block, page, isZero, atByte);
    }
    const footer = yield 5;
    if (footer[0] !== parts.footer || footer.readUInt32BE(1) !== section) {
      throw this.#refusal('the footer of a section', `the bytes ${footer.toString('hex')}`);
    }
    this.#listener.section(which, this.#atByte);
  }

  *#switchBlock(): Grammar {
    const name = yield* this.#text(yield* byte());
    this.#block = this.#blocks.findIndex((block) => block.name === name);
    if (this.#block < 0) throw this.#refusal('a block of the list', `'${name}'`);
  }

  *#text(lengthBytes: number): Grammar<string> {
    if (lengthBytes === 0 || lengthBytes > MOST_NAME_BYTES) {
      throw this.#refusal(`a name of 1 to ${MOST_NAME_BYTES} bytes`, `${lengthBytes}`);
    }
    return (yield lengthBytes).toString('latin1');
  }

  #refusal(expected: string, found: string): Refusal {
    return new Refusal(
      `QEMU's migration stream, at byte ${this.#atByte}: expected ${expected}, found ${printable(found)}`,
    );
  }
}

function* byte(): Grammar<number> {
  return (yield 1)[0]!;
}

function* word(): Grammar<number> {
  return (yield 4).readUInt32BE(0);
}
