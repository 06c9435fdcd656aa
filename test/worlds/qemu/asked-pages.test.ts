import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReturnPathReader, returnMessages } from '../../../src/qemu/return-path.ts';
import { AskedPages, type PageRequests, requestsFor } from '../../../src/worlds/qemu/asked-pages.ts';

const blocks = [
  { name: 'pc.ram', pages: 60, firstPage: 0 },
  { name: 'pc.bios', pages: 4, firstPage: 60 },
];
const anyOrder = fc.shuffledSubarray(Array.from({ length: 64 }, (_, page) => page));

/** The pages that these requests name, in their order, as QEMU reads them. */
function pagesAskedFor(requests: PageRequests): number[] {
  let block = blocks[0]!;
  return new ReturnPathReader().push(requests.bytes).flatMap(({ kind, body }) => {
    if (kind === returnMessages.requestPagesOfBlock) {
      const name = body.subarray(13).toString();
      block = blocks.find((one) => one.name === name)!;
    }
    const first = Number(body.readBigUInt64BE(0)) / 4096;
    return Array.from({ length: body.readUInt32BE(8) / 4096 }, (_, page) => block.firstPage + first + page);
  });
}

test('requests name the pages of an order, each once and in its place, within their blocks', () => {
  fc.assert(
    fc.property(anyOrder, (order) => {
      expect(pagesAskedFor(requestsFor(Uint32Array.from(order), blocks))).toEqual(order);
    }),
  );
});

test('neighbours are asked for at once, and a block is named once', () => {
  const requests = requestsFor(
    Uint32Array.from({ length: 64 }, (_, page) => page),
    blocks,
  );
  expect(requests.count).toBe(2);
});

test('no request is one of 2 GiB or more, which QEMU takes for less than nothing', () => {
  const large = [{ name: 'pc.ram', pages: 2 ** 20 + 1, firstPage: 0 }];
  const requests = requestsFor(
    Uint32Array.from({ length: 2 ** 20 + 1 }, (_, page) => page),
    large,
  );
  const bytes = new ReturnPathReader().push(requests.bytes).map(({ body }) => body.readUInt32BE(8));
  expect(bytes).toEqual([...Array(4).fill(2 ** 30), 4096]);
});

test('a page that came in its order is in its place, whatever was clean before it', () => {
  fc.assert(
    fc.property(anyOrder, fc.infiniteStream(fc.boolean()), (order, dirty) => {
      const asked = new AskedPages(64);
      asked.ask(Uint32Array.from(order));
      const come = order.filter(() => dirty.next().value);
      for (const page of come) asked.came(page);
      expect([asked.cameAsked, asked.unaskedPages, asked.outOfPlacePages]).toEqual([come.length, 0, 0]);
    }),
  );
});

test('a page that nobody asked for, one that comes again and one that comes late are told apart', () => {
  const asked = new AskedPages(64);
  asked.ask(Uint32Array.of(3, 2, 1));
  for (const page of [2, 9, 3, 2, 1]) asked.came(page);
  expect([asked.cameAsked, asked.unaskedPages, asked.outOfPlacePages]).toEqual([3, 2, 1]);
});
