/** So much may wait for whoever reads slowly; what is only told is lost beyond. */
const MOST_UNREAD_BYTES = 1 << 20;

/**
 * Tells whoever watches, from any thread. What cannot be written is lost, and nobody is waited for: what is told of must
 * not end or take longer because somebody does not read, or a disk is full.
 */
export function tell(text: string, stream: NodeJS.WriteStream = process.stderr): void {
  if (stream.writableLength < MOST_UNREAD_BYTES) stream.write(text);
}
