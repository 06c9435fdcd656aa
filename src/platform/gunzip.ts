import { constants, createGunzip, type Gunzip } from 'node:zlib';

/** Large enough to be given back to the system. */
const CHUNK_BYTES = 256 * 1024;

/** What Node's own `gunzipSync` is made of. */
type SynchronousGunzip = Gunzip & { _processChunk(bytes: Uint8Array, flush: number): Buffer };

/**
 * Unpacks at once, as Node's `gunzipSync` does, which however keeps the memory of each text that turns out to be damaged
 * for as long as the process lives.
 * @param most bytes that it may come to
 * @param part whether `bytes` may be the beginning of a longer text
 * @throws the system's error; of the code ERR_BUFFER_TOO_LARGE if it is more
 */
export function gunzip(bytes: Uint8Array, most: number, part = false): Buffer {
  const gunzip = createGunzip({ maxOutputLength: most, chunkSize: CHUNK_BYTES }) as SynchronousGunzip;
  try {
    return gunzip._processChunk(bytes, part ? constants.Z_SYNC_FLUSH : constants.Z_FINISH);
  } finally {
    gunzip.close();
  }
}
