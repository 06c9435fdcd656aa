import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type FrameType, frameTypes, HEADER_BYTES } from '../../src/core/wire/frames.ts';

export type Way = 'to destination' | 'to source';

/** A frame on its way, as bytes. */
export interface PassingFrame {
  readonly way: Way;
  readonly type: FrameType;
  readonly bytes: Buffer;
}

/** What happens on the wire from the awaited frame on. Called once, with that frame. */
export type WireFault = (frame: PassingFrame, wire: Wire) => void;

/** The wire in the hands of a fault. */
export interface Wire {
  send(way: Way, bytes: Buffer): void;
  /** Hangs up on both ends. */
  cut(): void;
  /** From here on what goes these ways vanishes, and nobody hangs up. */
  hole(...ways: Way[]): void;
  /** Nothing passes for so long; then all of it does. */
  stall(ms: number): void;
  /** Each byte passes so much later. */
  delay(ms: number): void;
  /** The frame comes after the one that follows it on its way. */
  afterNext(frame: PassingFrame): void;
  /** Nothing passes faster than this; who sends more must wait. */
  slow(bytesPerSecond: number): void;
}

/**
 * Stands between two ends and hands on what they say, frame by frame, until the awaited frame comes: from there on the
 * fault decides. What it meddles with are bytes: the ends see a network that is broken, not a proxy.
 */
export class ByteProxy implements Wire {
  readonly #server: Server;
  readonly #awaited: (frame: PassingFrame) => boolean;
  readonly #fault: WireFault;
  readonly #sockets: Partial<Record<Way, Socket>> = {};
  readonly #rest: Record<Way, Buffer> = { 'to destination': Buffer.alloc(0), 'to source': Buffer.alloc(0) };
  readonly #holes = new Set<Way>();
  readonly #waiting: [Way, Buffer][] = [];
  readonly #late: Partial<Record<Way, PassingFrame>> = {};
  #stalled = false;
  #delayMs = 0;
  #slowest = Number.POSITIVE_INFINITY;
  #struck = false;
  #ended = false;

  private constructor(server: Server, awaited: (frame: PassingFrame) => boolean, fault: WireFault) {
    this.#server = server;
    this.#awaited = awaited;
    this.#fault = fault;
  }

  /** @param awaited asked for every frame, in their order, until it says yes */
  static async start(
    port: number,
    awaited: (frame: PassingFrame) => boolean,
    fault: WireFault,
  ): Promise<ByteProxy> {
    const server = createServer((source) => proxy.#joins(source, connect(port, '127.0.0.1')));
    const proxy = new ByteProxy(server, awaited, fault);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Whether the awaited frame has come. */
  get struck(): boolean {
    return this.#struck;
  }

  send(way: Way, bytes: Buffer): void {
    if (this.#holes.has(way)) return;
    if (this.#stalled) {
      this.#waiting.push([way, bytes]);
      return;
    }
    const socket = this.#sockets[way]!;
    if (this.#delayMs > 0) setTimeout(() => socket.write(bytes), this.#delayMs);
    else socket.write(bytes);
  }

  cut(): void {
    for (const socket of Object.values(this.#sockets)) socket.destroy();
  }

  hole(...ways: Way[]): void {
    for (const way of ways) this.#holes.add(way);
  }

  stall(ms: number): void {
    this.#stalled = true;
    setTimeout(() => {
      this.#stalled = false;
      for (const [way, bytes] of this.#waiting.splice(0)) this.send(way, bytes);
    }, ms);
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  afterNext(frame: PassingFrame): void {
    this.#late[frame.way] = frame;
  }

  slow(bytesPerSecond: number): void {
    this.#slowest = bytesPerSecond;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #joins(source: Socket, destination: Socket): void {
    if (this.#ended) return void source.destroy();
    this.#sockets['to source'] = source;
    this.#sockets['to destination'] = destination;
    this.#listen(source, 'to destination', destination);
    this.#listen(destination, 'to source', source);
  }

  #listen(from: Socket, way: Way, towards: Socket): void {
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      this.#hear(way, chunk);
      if (this.#slowest === Number.POSITIVE_INFINITY) return;
      from.pause();
      setTimeout(() => from.resume(), (chunk.length / this.#slowest) * 1000);
    });
    // Over a hole nobody hears that the other end has hung up.
    from.on(
      'end',
      () => this.#holes.has(way) || this.#stalled || setTimeout(() => towards.end(), this.#delayMs),
    );
    from.on('error', () => {});
    from.on('close', () => this.#holes.has(way) || this.#stalled || towards.destroySoon());
  }

  #hear(way: Way, chunk: Buffer): void {
    let rest = Buffer.concat([this.#rest[way], chunk]);
    while (rest.length >= HEADER_BYTES) {
      const length = HEADER_BYTES + rest.readUInt32LE(12);
      if (rest.length < length) break;
      const bytes = rest.subarray(0, length);
      this.#pass({ way, type: frameTypes[bytes.readUInt32LE(4) - 1]!, bytes });
      rest = rest.subarray(length);
    }
    this.#rest[way] = rest;
  }

  #pass(frame: PassingFrame): void {
    if (!this.#struck && this.#awaited(frame)) {
      this.#struck = true;
      this.#fault(frame, this);
      return;
    }
    this.send(frame.way, frame.bytes);
    const late = this.#late[frame.way];
    delete this.#late[frame.way];
    if (late) this.send(late.way, late.bytes);
  }
}
