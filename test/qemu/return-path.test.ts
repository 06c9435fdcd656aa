import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/platform/failure.ts';
import {
  acknowledgeSwitchover,
  pong,
  ReturnPathReader,
  requestMorePages,
  requestPages,
  shut,
} from '../../src/qemu/return-path.ts';

const all = [
  pong(1),
  requestPages('pc.ram', 16, 4),
  requestMorePages(20, 1),
  acknowledgeSwitchover(),
  shut(0),
];

test('messages are as QEMU lays them out', () => {
  expect(all.map((message) => message.toString('hex'))).toEqual([
    '0002000400000001',
    `000300130000000000010000000040000${'6'}${Buffer.from('pc.ram').toString('hex')}`,
    '0004000c000000000001400000001000',
    '00070000',
    '0001000400000000',
  ]);
});

test('messages are whole, wherever the path is cut', () => {
  const path = Buffer.concat(all);
  fc.assert(
    fc.property(fc.array(fc.nat(path.length)), (cuts) => {
      const at = [0, ...cuts.sort((one, other) => one - other), path.length];
      const reader = new ReturnPathReader();
      const messages = at.slice(1).flatMap((end, index) => reader.push(path.subarray(at[index], end)));
      expect(messages.map(({ bytes }) => bytes)).toEqual(all);
    }),
  );
});

test('what is no message is refused, and so is one that is too long', () => {
  expect(() => new ReturnPathReader().push(Buffer.from('GET / HTTP/1.1'))).toThrow(Refusal);
  expect(() => new ReturnPathReader().push(Buffer.from([0, 3, 2, 1]))).toThrow('513 bytes');
});
