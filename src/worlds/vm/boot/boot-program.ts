import { Assembly, imm32 } from './assembly.ts';
import { CODE_AT, GDT_AT, HEARTBEAT_BIT, IDT_AT, PAGES_AT, page0, SCRIPT_AT } from './memory-layout.ts';

/** What the boot program's text depends on. */
export interface BootProgramOptions {
  readonly pageSizeBytes: number;
  readonly scriptEntries: number;
  /** CPU time of a step beyond its own instructions, in ticks of the clock. */
  readonly stepCpuTicks: number;
}

const HPET = 0xfed0_0000;
const HPET_CONFIG = HPET + 0x10;
const HPET_COUNTER = HPET + 0xf0;
/** The processor's local interrupt controller: whether it works at all, and what its first line is for. */
const APIC_SPURIOUS = 0xfee0_00f0;
const APIC_LINT0 = 0xfee0_0350;
const TIMER_VECTOR = 0x20;
/** The 8254 counts at 1,193,182 Hz: an interrupt about every millisecond. */
const TIMER_DIVISOR = 1193;
/**
 * Turns of the empty loop whose time is taken at boot, the shortest of so many trials: each shorter than a budget of CPU
 * time, so that some of them are not interrupted.
 */
const TRIAL_TURNS = 1 << 16;
const TRIALS = 64;
/** QEMU's debug console (`-device isa-debugcon`). */
export const DEBUG_PORT = 0xe9;

const CODE_SELECTOR = 0x08;
const DATA_SELECTOR = 0x10;

/**
 * The program, 32-bit code at CODE_AT (Intel SDM vol. 2 for the encodings). It replays its script: whenever an entry is due
 * it spins for as long as a step shall cost, writes the entry's page, counts the step, and sends a heartbeat if the
 * entry says so; when nothing is due it halts until the timer wakes it.
 *
 * The clock lives in registers alone (EBP: counter as last read; EDI:ESI: ticks since boot), because what lies in memory must
 * follow from the steps made: then a guest that moved can be compared, byte by byte, with one that did not.
 */
export function bootProgram({ pageSizeBytes, scriptEntries, stepCpuTicks }: BootProgramOptions): {
  readonly code: Buffer;
  readonly timerAt: number;
} {
  const code = new Assembly(CODE_AT);
  code
    .emit(0x66, 0xb8, DATA_SELECTOR, 0) // mov ax, data
    .emit(0x8e, 0xd8) // mov ds, ax
    .emit(0x8e, 0xc0) // mov es, ax
    .emit(0x8e, 0xd0) // mov ss, ax
    .emit(0xbb, imm32(PAGES_AT)) // mov ebx, page 0
    .emit(0x8d, 0xa3, imm32(page0.stackTop)) // lea esp, [ebx + stackTop]
    .emit(0x0f, 0x01, 0x1d, imm32(IDT_AT - 8)) // lidt [IDT_AT - 8]
    .emit(0xc7, 0x05, imm32(HPET_CONFIG), imm32(1)); // mov dword [HPET_CONFIG], 1: the counter runs
  interruptController(code);
  if (stepCpuTicks > 0) measureSpin(code, stepCpuTicks);
  code
    .emit(0x8b, 0x2d, imm32(HPET_COUNTER)) // mov ebp, [counter]
    .emit(0x31, 0xf6) // xor esi, esi
    .emit(0x31, 0xff) // xor edi, edi
    .label('clock')
    .emit(0xa1, imm32(HPET_COUNTER)) // mov eax, [counter]
    .emit(0x89, 0xc1) // mov ecx, eax
    .emit(0x29, 0xe8) // sub eax, ebp
    .emit(0x89, 0xcd) // mov ebp, ecx
    .emit(0x01, 0xc6) // add esi, eax
    .emit(0x83, 0xd7, 0) // adc edi, 0
    .emit(0x8b, 0x43, page0.steps) // mov eax, [steps]
    .emit(0x3b, 0x43, page0.limit) // cmp eax, [limit]
    .jump([0x73], 'idle') // jae idle
    .emit(0x89, 0xf0) // mov eax, esi
    .emit(0x89, 0xfa) // mov edx, edi
    .emit(0x2b, 0x43, page0.due) // sub eax, [due]
    .emit(0x1b, 0x53, page0.due + 4) // sbb edx, [due + 4]: edx:eax = how late
    .jump([0x73], 'step') // jnc step
    .label('idle')
    // As an operating system does between two of its programs: forget all translations (Intel SDM vol. 3, §4.10.4.1).
    .emit(0x0f, 0x20, 0xe0) // mov eax, cr4
    .emit(0x83, 0xf0, 0x10) // xor eax, PSE
    .emit(0x0f, 0x22, 0xe0) // mov cr4, eax
    .emit(0x31, 0xc0) // xor eax, eax: the flags that an interrupt puts on the stack are always the same
    .emit(0xfb) // sti
    .emit(0xf4) // hlt
    .emit(0xfa) // cli
    .jump([0xeb], 'clock') // jmp clock
    .label('step')
    .emit(0x85, 0xd2) // test edx, edx
    .jump([0x74], 'lateness fits') // jz
    .emit(0x83, 0xc8, 0xff) // or eax, -1
    .label('lateness fits')
    .emit(0x89, 0xc2) // mov edx, eax: lateness, until the heartbeat
    .emit(0x8b, 0x4b, page0.spin) // mov ecx, [spin]
    .jump([0xe3], 'spun') // jecxz spun
    .label('spin')
    .emit(0x49) // dec ecx
    .jump([0x75], 'spin') // jnz spin
    .label('spun')
    .emit(0x8b, 0x4b, page0.position) // mov ecx, [position]
    .emit(0x8b, 0x04, 0xcd, imm32(SCRIPT_AT + 4)) // mov eax, [script + ecx * 8 + 4]
    .emit(0x89, 0xc1) // mov ecx, eax
    .emit(0x81, 0xe1, imm32(~HEARTBEAT_BIT >>> 0)) // and ecx, page bits
    .emit(0x41) // inc ecx
    .emit(0xc1, 0xe1, Math.log2(pageSizeBytes)) // shl ecx, log2(page size)
    .emit(0x01, 0xd9) // add ecx, ebx: the end of the page
    .emit(0xff, 0x41, 0xfc) // inc dword [ecx - 4]: the writes that this page has seen
    .emit(0x50) // push eax
    .emit(0x8b, 0x43, page0.steps) // mov eax, [steps]
    .emit(0x89, 0x41, 0xf8) // mov [ecx - 8], eax: a number that only grows, page by page
    .emit(0x58) // pop eax
    .emit(0xff, 0x43, page0.steps) // inc dword [steps]
    .emit(0x85, 0xc0) // test eax, eax
    .jump([0x79], 'silent') // jns silent
    .emit(0xff, 0x43, page0.heartbeats) // inc dword [heartbeats]
    .emit(0x8b, 0x43, page0.heartbeats); // mov eax, [heartbeats]
  sendAccumulator(code);
  code.emit(0x89, 0xd0); // mov eax, edx
  sendAccumulator(code);
  code
    .label('silent')
    .emit(0x8b, 0x4b, page0.position) // mov ecx, [position]
    .emit(0x41) // inc ecx
    .emit(0x81, 0xf9, imm32(scriptEntries)) // cmp ecx, entries
    .jump([0x72], 'within') // jb within
    .emit(0x31, 0xc9) // xor ecx, ecx: the script is a loop
    .label('within')
    .emit(0x89, 0x4b, page0.position) // mov [position], ecx
    .emit(0x8b, 0x04, 0xcd, imm32(SCRIPT_AT)) // mov eax, [script + ecx * 8]
    .emit(0x01, 0x43, page0.due) // add [due], eax
    .emit(0x83, 0x53, page0.due + 4, 0) // adc dword [due + 4], 0
    .jump([0xe9], 'clock', 4) // jmp clock
    .label('timer')
    .emit(0x50) // push eax
    .emit(0xb0, 0x20, 0xe6, 0x20) // mov al, end of interrupt; out 0x20, al
    .emit(0x58) // pop eax
    .emit(0xcf); // iret
  return { code: code.bytes(), timerAt: code.addressOf('timer') };
}

/** The 8259s: the timer alone interrupts, as vector 0x20; the 8254 behind it: every millisecond. */
function interruptController(code: Assembly): void {
  const writes: readonly (readonly [port: number, value: number])[] = [
    [0x20, 0x11], // ICW1: initialise, ICW4 follows
    [0x21, TIMER_VECTOR], // ICW2: the first vector
    [0x21, 0x04], // ICW3: the second one hangs at line 2
    [0x21, 0x01], // ICW4: 8086 mode
    [0x21, 0xfe], // all lines but 0 are masked
    [0xa1, 0xff], // and all of the second one's
    [0x43, 0x34], // channel 0, both bytes, mode 2: periodic
    [0x40, TIMER_DIVISOR & 255],
    [0x40, TIMER_DIVISOR >> 8],
  ];
  for (const [port, value] of writes) code.emit(0xb0, value).emit(0xe6, port); // mov al, value; out port, al
  code
    .emit(0xc7, 0x05, imm32(APIC_SPURIOUS), imm32(0x1ff)) // mov dword [spurious], enabled
    .emit(0xc7, 0x05, imm32(APIC_LINT0), imm32(0x700)); // mov dword [LINT0], the 8259s'
}

/** How many turns take `cpuTicks`, from the quickest of some trials: page 0 keeps the answer, and it moves with the guest. */
function measureSpin(code: Assembly, cpuTicks: number): void {
  code
    .emit(0x83, 0xce, 0xff) // or esi, -1: the quickest so far
    .emit(0xbf, imm32(TRIALS)) // mov edi, trials
    .label('trial')
    .emit(0x8b, 0x2d, imm32(HPET_COUNTER)) // mov ebp, [counter]
    .emit(0xb9, imm32(TRIAL_TURNS)) // mov ecx, turns
    .label('turn')
    .emit(0x49) // dec ecx
    .jump([0x75], 'turn') // jnz turn
    .emit(0xa1, imm32(HPET_COUNTER)) // mov eax, [counter]
    .emit(0x29, 0xe8) // sub eax, ebp
    .emit(0x39, 0xf0) // cmp eax, esi
    .jump([0x73], 'slower') // jae slower
    .emit(0x89, 0xc6) // mov esi, eax
    .label('slower')
    .emit(0x4f) // dec edi
    .jump([0x75], 'trial') // jnz trial
    .emit(0xb8, imm32(cpuTicks)) // mov eax, ticks
    .emit(0xb9, imm32(TRIAL_TURNS)) // mov ecx, turns
    .emit(0xf7, 0xe1) // mul ecx
    .emit(0xf7, 0xf6) // div esi
    .emit(0x89, 0x43, page0.spin); // mov [spin], eax
}

/** EAX to the debug port, its lowest byte first. */
function sendAccumulator(code: Assembly): void {
  for (let byte = 0; byte < 4; byte++) {
    code.emit(0xe6, DEBUG_PORT); // out port, al
    if (byte < 3) code.emit(0xc1, 0xe8, 8); // shr eax, 8
  }
}

/** The firmware: 64 KiB of which a processor that was reset executes the end (Intel SDM vol. 3, §10.1.4). */
export function bootRom(): Buffer {
  const rom = Buffer.alloc(0x1_0000);
  const start = 0xff00;
  const gdtPointer = 0xff80;
  const code = new Assembly(start)
    .emit(0xfa) // cli
    .emit(0x2e, 0x66, 0x0f, 0x01, 0x16, gdtPointer & 255, gdtPointer >> 8) // lgdt cs:[gdtPointer]
    .emit(0x0f, 0x20, 0xc0) // mov eax, cr0
    .emit(0x0c, 0x01) // or al, 1: protected mode
    .emit(0x0f, 0x22, 0xc0) // mov cr0, eax
    .emit(0x66, 0xea, imm32(CODE_AT), CODE_SELECTOR, 0); // jmp code:CODE_AT
  code.bytes().copy(rom, start);
  descriptorPointer(GDT_AT, 3).copy(rom, gdtPointer);
  rom.set([0xe9, ...imm32(start - 0xfff3).slice(0, 2)], 0xfff0); // jmp start
  return rom;
}

/**
 * Flat segments, and one interrupt: what the processor looks up in memory. The segments are marked as accessed from the
 * beginning, so that the processor has nothing to write there.
 */
export function descriptorTables(
  timerAt: number,
): readonly { readonly at: number; readonly bytes: Buffer }[] {
  const gdt = Buffer.alloc(3 * 8);
  gdt.writeBigUInt64LE(0x00cf_9b00_0000_ffffn, CODE_SELECTOR);
  gdt.writeBigUInt64LE(0x00cf_9300_0000_ffffn, DATA_SELECTOR);
  const idt = Buffer.alloc((TIMER_VECTOR + 1) * 8);
  const gate = TIMER_VECTOR * 8;
  idt.writeUInt16LE(timerAt & 0xffff, gate);
  idt.writeUInt16LE(CODE_SELECTOR, gate + 2);
  idt.writeUInt16LE(0x8e00, gate + 4); // present, 32-bit interrupt gate
  idt.writeUInt16LE(timerAt >>> 16, gate + 6);
  return [
    { at: GDT_AT, bytes: gdt },
    { at: IDT_AT - 8, bytes: descriptorPointer(IDT_AT, TIMER_VECTOR + 1) },
    { at: IDT_AT, bytes: idt },
  ];
}

function descriptorPointer(at: number, entries: number): Buffer {
  const pointer = Buffer.alloc(6);
  pointer.writeUInt16LE(entries * 8 - 1, 0);
  pointer.writeUInt32LE(at, 2);
  return pointer;
}
