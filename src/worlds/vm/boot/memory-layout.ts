/**
 * Where things lie in the memory of a PC that runs the boot program. The first MiB is text: descriptor tables, code
 * and script, made from the guest's description at either end and never written by the guest; above 640 KiB of it a PC
 * has no memory but devices. What the guest writes, and what a migration moves, are its pages: they begin at 1 MiB.
 */
export const GDT_AT = 0x500;
export const IDT_AT = 0x600;
export const CODE_AT = 0x1000;
export const SCRIPT_AT = 0x2000;
export const TEXT_END = 0xa_0000;
export const PAGES_AT = 0x10_0000;

/** Eight bytes: the ticks since the entry before it, the page that is written, and in its highest bit a heartbeat. */
export const SCRIPT_ENTRY_BYTES = 8;
export const HEARTBEAT_BIT = 0x8000_0000;
export const LONGEST_SCRIPT = (TEXT_END - SCRIPT_AT) / SCRIPT_ENTRY_BYTES;

/** The guest's clock counts these: QEMU's HPET ticks at 100 MHz. */
export const TICK_NS = 10;

/**
 * The guest's page 0, from its first byte, in words of 32 bits. All of it follows from the steps made, but for the limit,
 * which the host sets, and the spin, which is measured at the first boot.
 */
export const page0 = {
  /** Steps made since the guest was booted. */
  steps: 0,
  heartbeats: 4,
  /** The next entry of the script. */
  position: 8,
  /** At so many steps the guest rests. */
  limit: 12,
  /** Guest time at which the next step is due, in ticks: 64 bits. */
  due: 16,
  /** Turns of an empty loop that a step takes beyond its own instructions. */
  spin: 24,
  /** The stack, of which an interrupt uses twelve bytes, grows down from here. */
  stackTop: 0x100,
} as const;

/** The flags that an interrupt of the halted guest leaves on top of its stack: IF, ZF and PF, and bit 1, which is always set. */
export const HALTED_FLAGS = 0x246;
