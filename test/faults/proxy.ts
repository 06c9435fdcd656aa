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

const ways: readonly Way[] = ['to destination', 'to source'];

/** A connection of the source and the one to the destination that continues it. */
interface Joint {
  readonly sockets: Readonly<Record<Way, Socket>>;
  /** The beginning of a frame. */
  readonly rest: Record<Way, Buffer>;
  readonly late: Partial<Record<Way, PassingFrame>>;
}

/** The wire in the hands of a fault. */
export interface Wire {
  send(way: Way, bytes: Buffer): void;
  /** Hangs up on both ends. */
  cut(): void;
  /** From here on what goes these ways vanishes, and nobody hangs up. */
  hole(...ways: Way[]): void;
  /** Nothing passes until then; then all of it does. */
  hold(until: Promise<unknown>): void;
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
  readonly #connections: Joint[] = [];
  readonly #holes = new Set<Way>();
  /** What has to wait; undefined: that an end has hung up. */
  readonly #waiting: [Joint, Way, Buffer | undefined][] = [];
  #held = false;
  #delayMs = 0;
  #slowest = Number.POSITIVE_INFINITY;
  #struck = false;
  #ended = false;

  private constructor(server: Server, awaited: (frame: PassingFrame) => boolean, fault: WireFault) {
    this.#server = server;
    this.#awaited = awaited;
    this.#fault = fault;
  }

  /** @param awaited asked for every frame, in their order; the first yes counts */
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
    this.#hand(this.#connections.at(-1)!, way, bytes);
  }

  cut(): void {
    for (const { sockets } of this.#connections) for (const way of ways) sockets[way].destroy();
  }

  hole(...ways: Way[]): void {
    for (const way of ways) this.#holes.add(way);
  }

  hold(until: Promise<unknown>): void {
    this.#held = true;
    void until.finally(() => {
      this.#held = false;
      for (const waiting of this.#waiting.splice(0)) this.#hand(...waiting);
    });
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  afterNext(frame: PassingFrame): void {
    this.#connections.at(-1)!.late[frame.way] = frame;
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
    const connection: Joint = {
      sockets: { 'to destination': destination, 'to source': source },
      rest: { 'to destination': Buffer.alloc(0), 'to source': Buffer.alloc(0) },
      late: {},
    };
    this.#connections.push(connection);
    this.#listen(connection, source, 'to destination');
    this.#listen(connection, destination, 'to source');
  }

  #listen(connection: Joint, from: Socket, way: Way): void {
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      this.#hear(connection, way, chunk);
      if (this.#slowest === Number.POSITIVE_INFINITY) return;
      from.pause();
      setTimeout(() => from.resume(), (chunk.length / this.#slowest) * 1000);
    });
    from.on('close', () => this.#hand(connection, way, undefined));
    from.on('error', () => {});
  }

  /** Over a hole nobody hears even that the other end has hung up. */
  #hand(connection: Joint, way: Way, bytes: Buffer | undefined): void {
    if (this.#holes.has(way)) return;
    if (this.#held) {
      this.#waiting.push([connection, way, bytes]);
      return;
    }
    const socket = connection.sockets[way];
    const pass = () => (bytes ? socket.write(bytes) : socket.destroySoon());
    if (this.#delayMs > 0) setTimeout(pass, this.#delayMs);
    else pass();
  }

  #hear(connection: Joint, way: Way, chunk: Buffer): void {
    let rest = Buffer.concat([connection.rest[way], chunk]);
    while (rest.length >= HEADER_BYTES) {
      const length = HEADER_BYTES + rest.readUInt32LE(12);
      if (rest.length < length) break;
      const bytes = rest.subarray(0, length);
      this.#pass(connection, { way, type: frameTypes[bytes.readUInt32LE(4) - 1]!, bytes });
      rest = rest.subarray(length);
    }
    connection.rest[way] = rest;
  }

  #pass(connection: Joint, frame: PassingFrame): void {
    if (this.#awaited(frame) && !this.#struck) {
      this.#struck = true;
      this.#fault(frame, this);
      return;
    }
    this.#hand(connection, frame.way, frame.bytes);
    const late = connection.late[frame.way];
    delete connection.late[frame.way];
    if (late) this.#hand(connection, late.way, late.bytes);
  }
}
