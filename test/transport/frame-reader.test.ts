import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FrameHeader, HEADER_BYTES, WireError } from '../../src/core/wire/frames.ts';
import { FrameReader } from '../../src/transport/frame-reader.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';

const PAGE = 512;

type Frame = { type: FrameHeader['type']; argument: number; payload: Buffer };

function readerInto(frames: Frame[]): FrameReader {
  const reader = new FrameReader(({ type, argument }, payload) => {
    frames.push({ type, argument, payload: Buffer.from(payload) });
  });
  reader.pageBytes = PAGE;
  return reader;
}

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    type: fc.constant('page' as const),
    argument: fc.nat(1e6),
    payload: fc.uint8Array({ minLength: PAGE, maxLength: PAGE }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({
    type: fc.constantFrom('zero' as const, 'round' as const, 'commit' as const),
    argument: fc.nat(1e6),
    payload: fc.constant(Buffer.alloc(0)),
  }),
  fc.record({
    type: fc.constantFrom('stop' as const, 'abort' as const, 'hello' as const),
    argument: fc.nat(1e6),
    payload: fc.uint8Array({ minLength: 2, maxLength: 900 }).map((bytes) => Buffer.from(bytes)),
  }),
);

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.map(({ type, argument, payload }) => encodeFrame(type, argument, payload)));
}

describe('a frame reader', () => {
  test('reads the same frames however the stream is cut into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
        (frames, sizes) => {
          const stream = encode(frames);
          const read: Frame[] = [];
          const reader = readerInto(read);
          for (let offset = 0, turn = 0; offset < stream.length; turn++) {
            const size = sizes[turn % sizes.length]!;
            reader.read(stream.subarray(offset, offset + size));
            offset += size;
          }
          reader.end();
          expect(read).toEqual(frames);
        },
      ),
    );
  });

  test('finds any single damaged byte, and hands on nothing of that frame', () => {
    fc.assert(
      fc.property(anyFrame, fc.nat(), fc.integer({ min: 1, max: 255 }), (frame, place, flip) => {
        const stream = encode([frame]);
        stream[place % stream.length]! ^= flip;
        const read: Frame[] = [];
        const reader = readerInto(read);
        expect(() => {
          reader.read(stream);
          reader.end();
        }).toThrow(WireError);
        expect(read).toEqual([]);
      }),
    );
  });

  test('notices a stream that ends inside a frame', () => {
    const stream = encode([{ type: 'stop', argument: 0, payload: Buffer.from('digest') }]);
    for (let length = 1; length < stream.length; length++) {
      const reader = readerInto([]);
      reader.read(stream.subarray(0, length));
      expect(() => reader.end(), `${length} of ${stream.length} bytes`).toThrow('ended inside a frame');
    }
  });

  test('refuses a length before waiting for its bytes', () => {
    const header = Buffer.alloc(HEADER_BYTES);
    encodeFrame('stop').copy(header);
    header.writeUInt32LE(0xffff_ffff, 12);
    expect(() => readerInto([]).read(header)).toThrow("a 'stop' frame of 4294967295 bytes");
  });

  test('asks before it gathers a payload, however its header is cut', () => {
    const frame = encodeFrame('stop', 0, Buffer.alloc(40));
    for (let cut = 1; cut < frame.length; cut++) {
      const asked: string[] = [];
      const refusing = new FrameReader(
        () => {},
        ({ type }) => {
          asked.push(type);
          throw new WireError('not now');
        },
      );
      expect(() => {
        refusing.read(frame.subarray(0, Math.min(cut, HEADER_BYTES)));
        refusing.read(frame.subarray(Math.min(cut, HEADER_BYTES), frame.length - 1));
      }).toThrow('not now');
      expect(asked).toEqual(['stop']);
    }
  });

  test('never fails but by a wire error, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (chunks) => {
        const reader = readerInto([]);
        try {
          for (const chunk of chunks) reader.read(Buffer.from(chunk));
          reader.end();
        } catch (cause) {
          expect(cause).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});
