import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/platform/failure.ts';
import { MigrationStreamParser } from '../../src/qemu/migration-stream.ts';
import { countedByQemu, qemuStreams, StreamHeard, shortStream } from '../fixtures/qemu-streams.ts';

describe.each(qemuStreams)('a stream of QEMU $name', ({ name, bytes }) => {
  const whole = heard([bytes]);

  test('has as many pages as QEMU counted itself', () => {
    const { normal, duplicate } = countedByQemu[name]!;
    expect({ normal: whole.full, duplicate: whole.zero }).toEqual({ normal, duplicate });
    expect(whole.said[0]).toBe(`pc-i440fx-${name.split('-')[0]}`);
    expect(whole.blocksSeen.map((block) => block.name)).toContain('pc.ram');
    expect(whole.blocksSeen.find((block) => block.name === 'pc.ram')!.pages).toBe(512);
  });

  test('goes on with devices after its last page, whose names stand there', () => {
    const devices = bytes.subarray(whole.devicesAt);
    expect(devices[0]).toBe(4);
    expect(devices.subarray(0, 200).toString('latin1')).toMatch(/timer|cpu_common|slirp/);
  });

  test('says the same wherever it is cut', () => {
    for (let cut = 0; cut < 600; cut++) {
      expect(heard([bytes.subarray(0, cut), bytes.subarray(cut)]).text, `at ${cut}`).toBe(whole.text);
    }
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const at = [0, ...cuts.sort((one, other) => one - other), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(heard(chunks).text).toBe(whole.text);
      }),
      { numRuns: 30 },
    );
    expect(heard(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))).text).toBe(whole.text);
  });

  test('is refused from what is not known on, and stays so', () => {
    const blocks = bytes.indexOf('pc.ram');
    const spoilt = Buffer.from(bytes);
    // The flags of the list of blocks, 3 bytes before the first name's length.
    spoilt[blocks - 2]! = 0x40;
    const listener = new StreamHeard();
    const parser = new MigrationStreamParser(listener);
    expect(() => parser.push(spoilt)).toThrow(Refusal);
    expect(() => parser.push(bytes)).toThrow(Refusal);
    expect(listener.full + listener.zero).toBe(0);
  });
});

test('pages of several blocks are told in their order', () => {
  const { said } = heard([shortStream]);
  const pages = said.filter((one) => /^\d+:/.test(one)).map((one) => one.split(' ').slice(0, 2).join(' '));
  expect(pages).toEqual(['0:1 true', '0:2 true', '0:3 false', '3:0 false', '3:1 false']);
});

describe('refused before any page', () => {
  const [{ bytes }] = qemuStreams as [(typeof qemuStreams)[0]];
  const start = bytes.indexOf('\u0003ram', 0, 'latin1') - 5;
  const configuration = bytes.subarray(0, start);
  test.each([
    ['TLS', Buffer.from('1603010200010001fc03', 'hex'), 'tls-creds'],
    ['another program', Buffer.from('GET / HTTP/1.1\r\n'), "expected QEMU's own stream"],
    ['another version', Buffer.from('5145564d00000004', 'hex'), 'expected version 3'],
    ['post-copy', Buffer.from([...configuration, 8, 0, 3, 0, 0]), 'command 3'],
    [
      'a bitmap of a disk',
      Buffer.from([
        ...configuration,
        1,
        0,
        0,
        0,
        1,
        12,
        ...Buffer.from('dirty-bitmap'),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
      ]),
      "'dirty-bitmap'",
    ],
    [
      'an early device',
      Buffer.from([...configuration, 4, 0, 0, 0, 1, 10, ...Buffer.from('virtio-mem')]),
      "'virtio-mem'",
    ],
    [
      'capabilities of its own',
      Buffer.from([...configuration, 5, 26, ...Buffer.from('configuration/capabilities')]),
      'configuration/capabilities',
    ],
    ['pages without a list', Buffer.from([...configuration, 2, 0, 0, 0, 2]), 'the byte 2'],
  ])('%s', (_, stream, why) => {
    expect(() => heard([stream])).toThrow(why);
  });

  test('more memory than anybody has, and blocks without end', () => {
    const head = bytes.subarray(0, start + 17);
    const list = (total: bigint, ...rest: number[]) => {
      const word = Buffer.alloc(8);
      word.writeBigUInt64BE(total | 4n);
      return Buffer.from([...head, ...word, ...rest]);
    };
    expect(() => heard([list(1n << 60n)])).toThrow('pages');
    expect(() => heard([list(8192n, 1, 97, 0, 0, 0, 0, 0, 0, 0, 0)])).toThrow("block 'a'");
    const twice = [1, 97, 0, 0, 0, 0, 0, 0, 16, 0];
    expect(() => heard([list(12288n, ...twice, ...twice)])).toThrow("'a' twice");
  });
});

function heard(chunks: readonly Buffer[]): StreamHeard {
  const listener = new StreamHeard();
  const parser = new MigrationStreamParser(listener);
  for (const chunk of chunks) parser.push(chunk);
  return listener;
}
