import { createServer, type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';

/** What a sender of 1 Gbit/s sends in two milliseconds. */
const BUFFER_BYTES = 256 * 1024;

/**
 * A server each of whose plain connections is read into one buffer, again and again: a chunk is only valid during its `data` event.
 * Node itself reads into new memory every time, which the kernel has to find first: about half of a receiver's time in its
 * first second at 1 Gbit/s (docs/decisions/032-received-in-one-buffer.md).
 * @param most connections at once; any more are closed without a word
 * @param encrypted they are read by TLS, which copies what it decrypts, and not in place
 * @param open kept up to date: the connections that there are
 */
export function receivingServer(
  most: number,
  encrypted: boolean,
  open: Set<Socket>,
  accept: (socket: Socket) => void,
): Server {
  return createServer((accepted) => {
    if (open.size >= most) {
      accepted.destroy();
      return;
    }
    const socket = encrypted ? accepted : readInPlace(accepted);
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    accept(socket);
  });
}

/**
 * Node has the option (`onread`) for sockets that connect, not for those that were accepted. So the accepted one's connection
 * goes on in a socket of ours, and the accepted one ends without it. Where Node keeps it elsewhere, all stays as it was.
 */
function readInPlace(accepted: Socket): Socket {
  const holder = accepted as unknown as { _handle?: object | null };
  const handle = holder._handle;
  if (!handle) return accepted;
  const options: SocketConstructorOpts & { readonly handle: object; readonly onread: OnReadOpts } = {
    handle,
    onread: {
      buffer: Buffer.alloc(BUFFER_BYTES),
      callback(bytes, buffer) {
        socket.emit('data', (buffer as Buffer).subarray(0, bytes));
        return true;
      },
    },
  };
  holder._handle = null;
  const socket = new Socket(options);
  accepted.destroy();
  return socket;
}
