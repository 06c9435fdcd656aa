import { describe, expect, test } from 'vitest';
import { inSegments } from '../../../src/platform/segmented-memory.ts';
import { Assembly, imm32 } from '../../../src/worlds/vm/boot/assembly.ts';
import { bootRom } from '../../../src/worlds/vm/boot/boot-program.ts';
import { type BootImage, bootImage } from '../../../src/worlds/vm/boot/image.ts';
import {
  HEARTBEAT_BIT,
  page0,
  SCRIPT_AT,
  SCRIPT_ENTRY_BYTES,
  TEXT_END,
  TICK_NS,
} from '../../../src/worlds/vm/boot/memory-layout.ts';
import { smallSetup } from '../../fixtures/setup.ts';

describe('assembly', () => {
  test('a jump holds the distance from its end to its label, forwards and backwards', () => {
    const code = new Assembly(0x1000).label('start').emit(0x90);
    code.jump([0xeb], 'end').jump([0xe9], 'start', 4).label('end').emit(0xf4);
    expect([...code.bytes()]).toEqual([0x90, 0xeb, 5, 0xe9, ...imm32(-8 >>> 0), 0xf4]);
    expect(code.addressOf('end')).toBe(0x1008);
  });

  test('refuses a jump that leads nowhere, and a short one that leads too far', () => {
    expect(() => new Assembly(0).jump([0xeb], 'nowhere').bytes()).toThrow('nowhere');
    const far = new Assembly(0).jump([0xeb], 'far').emit(new Array<number>(200).fill(0x90)).label('far');
    expect(() => far.bytes()).toThrow(RangeError);
  });
});

describe('the boot image', () => {
  const { guest } = smallSetup();
  const image = bootImage(guest);
  const pagesOf = ({ fill }: BootImage, segmentBytes?: number) => {
    const bytes = Buffer.alloc(guest.pages * guest.pageSizeBytes);
    fill(inSegments(bytes, guest.pageSizeBytes, segmentBytes));
    return bytes;
  };
  const entries = Array.from({ length: 400 }, (_, index) => {
    const at = SCRIPT_AT + index * SCRIPT_ENTRY_BYTES;
    const word = image.text.readUInt32LE(at + 4);
    return {
      ticks: image.text.readUInt32LE(at),
      page: (word & ~HEARTBEAT_BIT) >>> 0,
      beats: word >= HEARTBEAT_BIT,
    };
  });

  test('is the same at both ends, and another one for another seed', () => {
    const there = bootImage(guest);
    expect(there.text.equals(image.text) && pagesOf(there).equals(pagesOf(image))).toBe(true);
    expect(bootImage({ ...guest, seed: guest.seed + 1 }).text.equals(image.text)).toBe(false);
  });

  test('holds the guest’s own writes, each page of it within the guest', () => {
    expect(entries.every(({ page }) => page < guest.pages)).toBe(true);
    // 60 pages × 40 a second, 200 × 2, 540 × 0.01, and 200 heartbeats a second.
    const seconds = (entries.reduce((sum, { ticks }) => sum + ticks, 0) * TICK_NS) / 1e9;
    expect(entries.length / seconds).toBeGreaterThan(0.8 * 3005);
    expect(entries.length / seconds).toBeLessThan(1.2 * 3005);
    const beats = entries.filter(({ beats }) => beats).length;
    expect(Math.abs(beats - seconds / 0.005)).toBeLessThanOrEqual(1);
  });

  test('its pages are a new guest’s: none of zeros, no step made, the first one due', () => {
    const pages = pagesOf(image);
    for (let page = 0; page < guest.pages; page++) {
      expect(pages.subarray(page * 4096, (page + 1) * 4096).some((byte) => byte !== 0)).toBe(true);
    }
    expect(pages.readUInt32LE(page0.steps)).toBe(0);
    expect(pages.readUInt32LE(page0.due)).toBe(entries[0]!.ticks);
  });

  test('fits below the devices of a PC, and its firmware ends with the first instruction', () => {
    expect(image.text.length).toBe(TEXT_END);
    const rom = bootRom();
    expect(rom.length).toBe(0x1_0000);
    // A near jump backwards, to an instruction that disables interrupts.
    expect(rom[0xfff0]).toBe(0xe9);
    expect(rom[(0xfff3 + rom.readInt16LE(0xfff1)) & 0xffff]).toBe(0xfa);
  });
});
