/** A heartbeat as it travels: 16 bytes, little-endian. */
export interface Heartbeat {
  readonly token: number;
  /** From 1, one more each time, over the guest's whole life and wherever it runs. */
  readonly number: number;
  /** How long after it was due the guest sent it. */
  readonly latenessNs: number;
}

const HEARTBEAT_BYTES = 16;

export function encodeHeartbeat({ token, number, latenessNs }: Heartbeat): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEARTBEAT_BYTES));
  view.setUint32(0, token, true);
  view.setUint32(4, number, true);
  view.setFloat64(8, latenessNs, true);
  return new Uint8Array(view.buffer);
}

/** `undefined`: not a heartbeat. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  if (bytes.length !== HEARTBEAT_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    token: view.getUint32(0, true),
    number: view.getUint32(4, true),
    latenessNs: view.getFloat64(8, true),
  };
}
