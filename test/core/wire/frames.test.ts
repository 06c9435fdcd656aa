import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DIGEST_BYTES,
  type FrameType,
  frameTypes,
  HEADER_BYTES,
  LARGEST_CONTROL_BYTES,
  LARGEST_HELLO_BYTES,
  NONCE_BYTES,
  readHeader,
  STREAM_DIGEST_BYTES,
  WireError,
  writeChecksum,
  writeHeader,
} from '../../../src/core/wire/frames.ts';

const PAGE = 4_096;
const u32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1));

/** The payloads that a frame of each type may have, least and most. */
const bounds: Record<FrameType, readonly [number, number]> = {
  hello: [2, LARGEST_HELLO_BYTES],
  page: [PAGE, PAGE],
  zero: [0, 0],
  delta: [0, PAGE],
  round: [0, STREAM_DIGEST_BYTES],
  stop: [0, LARGEST_CONTROL_BYTES],
  ready: [0, LARGEST_CONTROL_BYTES],
  verify: [0, LARGEST_CONTROL_BYTES],
  commit: [0, 0],
  running: [0, LARGEST_CONTROL_BYTES],
  retire: [0, LARGEST_CONTROL_BYTES],
  abort: [0, LARGEST_CONTROL_BYTES],
  challenge: [NONCE_BYTES, NONCE_BYTES + DIGEST_BYTES],
  proof: [DIGEST_BYTES, DIGEST_BYTES],
  alive: [0, 0],
  state: [0, LARGEST_CONTROL_BYTES],
  ask: [0, LARGEST_CONTROL_BYTES],
  returned: [0, LARGEST_CONTROL_BYTES],
};

function header(type: FrameType, argument: number, lengthBytes: number, crc = 0): DataView {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  writeHeader(view, 0, type, argument, lengthBytes);
  writeChecksum(view, 0, crc);
  return view;
}

describe('a header', () => {
  test.each(frameTypes)('of type %s comes back as it was written, wherever it lies', (type) => {
    const [least, most] = bounds[type];
    const length = fc.oneof(fc.integer({ min: least, max: most }), fc.constantFrom(least, most));
    fc.assert(
      fc.property(u32, length, u32, fc.nat({ max: 40 }), (argument, lengthBytes, crc, offset) => {
        const bytes = new Uint8Array(offset + HEADER_BYTES + 8).fill(0xaa);
        const view = new DataView(bytes.buffer);
        writeHeader(view, offset, type, argument, lengthBytes);
        writeChecksum(view, offset, crc);
        expect(readHeader(view, offset, PAGE)).toEqual({ crc, type, argument, lengthBytes });
        const around = [...bytes.subarray(0, offset), ...bytes.subarray(offset + HEADER_BYTES)];
        expect(around.every((byte) => byte === 0xaa)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('is sixteen bytes: checksum, type, argument and length, the least significant byte first', () => {
    const view = header('page', 0x0102_0304, PAGE, 0xa1b2_c3d4);
    expect([...new Uint8Array(view.buffer)]).toEqual([
      0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 0, 0, 0x04, 0x03, 0x02, 0x01, 0x00, 0x10, 0x00, 0x00,
    ]);
  });

  // A number that changed its meaning would break every destination of version 1 that is already there.
  test('gives each type its own number, for good', () => {
    const numbers = frameTypes.map((type) => [type, header(type, 0, bounds[type][0]).getUint32(4, true)]);
    expect(Object.fromEntries(numbers)).toEqual({
      hello: 1,
      page: 2,
      zero: 3,
      round: 4,
      stop: 5,
      ready: 6,
      verify: 7,
      commit: 8,
      running: 9,
      retire: 10,
      abort: 11,
      challenge: 12,
      proof: 13,
      alive: 14,
      state: 15,
      ask: 16,
      returned: 17,
      delta: 18,
    });
  });
});

describe('a stream that breaks the rules is refused before its payload is read', () => {
  test('an unknown type', () => {
    fc.assert(
      fc.property(
        u32.filter((code) => code < 1 || code > frameTypes.length),
        (code) => {
          const view = header('zero', 0, 0);
          view.setUint32(4, code, true);
          expect(() => readHeader(view, 0, PAGE)).toThrow(WireError);
          expect(() => readHeader(view, 0, PAGE)).toThrow(`unknown type ${code}`);
        },
      ),
    );
  });

  test.each(frameTypes)('a payload that no %s frame has', (type) => {
    const [least, most] = bounds[type];
    const outside = [least - 1, most + 1, 2 ** 32 - 1].filter((length) => length >= 0);
    expect(outside.length).toBeGreaterThan(1);
    for (const lengthBytes of outside) {
      const view = header(type, 0, lengthBytes);
      expect(() => readHeader(view, 0, PAGE)).toThrow(WireError);
      expect(() => readHeader(view, 0, PAGE)).toThrow(
        `a '${type}' frame of ${lengthBytes} bytes; expected ${least} to ${most}`,
      );
    }
  });

  test('a page of another size than the guest’s', () => {
    expect(readHeader(header('page', 0, 16_384), 0, 16_384).lengthBytes).toBe(16_384);
    expect(() => readHeader(header('page', 0, 16_384), 0, PAGE)).toThrow(WireError);
  });

  test('a hello larger than this end expects', () => {
    expect(readHeader(header('hello', 0, 1_000), 0, PAGE, 1_000).lengthBytes).toBe(1_000);
    expect(() => readHeader(header('hello', 0, 1_001), 0, PAGE, 1_000)).toThrow(
      "a 'hello' frame of 1001 bytes; expected 2 to 1000",
    );
  });

  test('any sixteen bytes are a header of a known type within its bounds, or a WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat({ max: 16 }), (bytes, code) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
        view.setUint32(4, code, true);
        try {
          const { type, lengthBytes } = readHeader(view, 0, PAGE);
          const [least, most] = bounds[type];
          expect(lengthBytes >= least && lengthBytes <= most).toBe(true);
        } catch (cause) {
          expect(cause).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});
