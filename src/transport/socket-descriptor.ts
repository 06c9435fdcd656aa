import type { Socket } from 'node:net';

/** By which the kernel knows a socket, while it is open. */
export function descriptorOf(socket: Socket): number | undefined {
  return (socket as Socket & { _handle?: { fd: number } | null })._handle?.fd;
}
