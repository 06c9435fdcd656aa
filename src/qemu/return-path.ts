import { Refusal } from '../platform/failure.ts';
import { QEMU_PAGE_BYTES } from './stream-layout.ts';

/** What a destination of QEMU says to its source (migration/migration.h: enum mig_rp_message_type). */
export const returnMessages = {
  shut: 1,
  pong: 2,
  requestPagesOfBlock: 3,
  requestPages: 4,
  receivedBitmap: 5,
  resumeAcknowledged: 6,
  switchoverAcknowledged: 7,
} as const;

export interface ReturnMessage {
  readonly kind: number;
  readonly body: Buffer;
  /** The whole message, to be passed on. */
  readonly bytes: Buffer;
}

const HEAD_BYTES = 4;
/** The source takes no longer one (migration/migration.c: source_return_path_thread). */
const MOST_BODY_BYTES = 512;
/** A request without a name, whole. */
const REQUEST_MORE_BYTES = HEAD_BYTES + 12;
/** With one, besides the name. */
export const REQUEST_BYTES = REQUEST_MORE_BYTES + 1;
/**
 * 1 GiB. A request counts its bytes in 32 bits, which QEMU reads as a signed number (`ldl_be_p` in source_return_path_thread): one of
 * 2 GiB it refuses, and hears nothing after it.
 */
export const MOST_REQUESTED_PAGES = 2 ** 18;

/**
 * Splits the return path into whole messages, as it arrives in chunks cut anywhere. What is added to the path may stand between
 * two messages only.
 */
export class ReturnPathReader {
  #begun: Buffer = Buffer.alloc(0);

  /** @returns the messages that are complete now @throws Refusal this is no return path */
  push(chunk: Buffer): ReturnMessage[] {
    let rest: Buffer = this.#begun.length > 0 ? Buffer.concat([this.#begun, chunk]) : chunk;
    const messages: ReturnMessage[] = [];
    while (rest.length >= HEAD_BYTES) {
      const [kind, length] = [rest.readUInt16BE(0), rest.readUInt16BE(2)];
      if (kind === 0 || kind > returnMessages.switchoverAcknowledged || length > MOST_BODY_BYTES) {
        throw new Refusal(
          `QEMU's return path: expected a message of at most ${MOST_BODY_BYTES} bytes, found kind ${kind} of ${length} bytes`,
        );
      }
      const end = HEAD_BYTES + length;
      if (rest.length < end) break;
      messages.push({ kind, body: rest.subarray(HEAD_BYTES, end), bytes: rest.subarray(0, end) });
      rest = rest.subarray(end);
    }
    this.#begun = Buffer.from(rest);
    return messages;
  }
}

/**
 * Asks the source to send these pages of a block next, in this order; it leaves out those that are clean by then. Neighbours
 * are asked for at once, up to `MOST_REQUESTED_PAGES` of them.
 */
export function requestPages(block: string, firstPage: number, count: number): Buffer {
  const name = Buffer.from(block, 'latin1');
  const body = Buffer.alloc(13 + name.length);
  body.writeBigUInt64BE(BigInt(firstPage) * BigInt(QEMU_PAGE_BYTES), 0);
  body.writeUInt32BE(count * QEMU_PAGE_BYTES, 8);
  body.writeUInt8(name.length, 12);
  name.copy(body, 13);
  return message(returnMessages.requestPagesOfBlock, body);
}

/** The same without the name, for the block of the request before. */
export function requestMorePages(firstPage: number, count: number): Buffer {
  const request = Buffer.alloc(REQUEST_MORE_BYTES);
  putRequestForMore(request, 0, firstPage, count);
  return request;
}

/** Writes it into a buffer, since an order may be one of many requests. @returns where it ends */
export function putRequestForMore(into: Buffer, at: number, firstPage: number, count: number): number {
  const firstByte = firstPage * QEMU_PAGE_BYTES;
  into.writeUInt16BE(returnMessages.requestPages, at);
  into.writeUInt16BE(REQUEST_MORE_BYTES - HEAD_BYTES, at + 2);
  into.writeUInt32BE(Math.floor(firstByte / 2 ** 32), at + 4);
  into.writeUInt32BE(firstByte % 2 ** 32, at + 8);
  return into.writeUInt32BE(count * QEMU_PAGE_BYTES, at + 12);
}

/** Lets a source that waits for it stop its guest (capability `switchover-ack`, since 8.1). */
export function acknowledgeSwitchover(): Buffer {
  return message(returnMessages.switchoverAcknowledged, Buffer.alloc(0));
}

export function pong(argument: number): Buffer {
  return message(returnMessages.pong, wordOf(argument));
}

/** The destination ends: 0, all is well. */
export function shut(error: number): Buffer {
  return message(returnMessages.shut, wordOf(error));
}

function message(kind: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(kind, 0);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}

function wordOf(value: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(value);
  return word;
}
