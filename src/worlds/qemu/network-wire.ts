import type { Socket } from 'node:net';
import type { Encryption } from '../../core/link/encryption.ts';
import type { Bytes } from '../../core/units.ts';
import { descriptorOf } from '../../transport/socket-descriptor.ts';
import { UnsentBytes } from '../../transport/unsent/unsent-bytes.ts';
import { unsentQuestions } from '../../transport/unsent/unsent-thread.ts';
import { wireBytes } from '../../transport/wire-bytes.ts';
import { HEAD_BYTES } from './machine-channel.ts';

/** What a machine's stream is on the connection to another host: how many bytes, and how many of them have not left yet. */
export class NetworkWire {
  readonly #socket: Socket;
  readonly encryption: Encryption;
  readonly #unsent = new UnsentBytes(unsentQuestions());

  /** @throws Failure too many migrations at once */
  constructor(socket: Socket, encryption: Encryption) {
    this.#socket = socket;
    this.encryption = encryption;
  }

  /** What a piece of the stream becomes. */
  bytesOf(pieceBytes: Bytes): Bytes {
    return wireBytes(HEAD_BYTES + pieceBytes, this.encryption.kind);
  }

  /** What the kernel has been given and has not sent; undefined: nobody can tell. */
  get unsentBytes(): Bytes | undefined {
    const descriptor = descriptorOf(this.#socket);
    return descriptor === undefined ? undefined : this.#unsent.of(descriptor);
  }

  close(): void {
    this.#unsent.release();
  }
}
