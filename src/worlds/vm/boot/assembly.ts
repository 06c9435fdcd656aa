/**
 * Machine code, put together instruction by instruction. There are no mnemonics: the caller emits bytes, and comments
 * them. Labels are resolved here, so that no distance of a jump is counted by hand.
 */
export class Assembly {
  readonly #originBytes: number;
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly at: number; readonly width: 1 | 4; readonly to: string }[] = [];

  /** @param originBytes the address at which the first byte will lie */
  constructor(originBytes: number) {
    this.#originBytes = originBytes;
  }

  /** Numbers are bytes; `imm32` makes four bytes of a number. */
  emit(...bytes: readonly (number | readonly number[])[]): this {
    this.#bytes.push(...bytes.flat());
    return this;
  }

  /** Names the address of what is emitted next. */
  label(name: string): this {
    this.#labels.set(name, this.#bytes.length);
    return this;
  }

  /** An instruction whose operand is the distance to a label, of one byte or of four. */
  jump(opcode: readonly number[], to: string, width: 1 | 4 = 1): this {
    this.emit(opcode);
    this.#jumps.push({ at: this.#bytes.length, width, to });
    return this.emit(new Array<number>(width).fill(0));
  }

  addressOf(name: string): number {
    return this.#originBytes + this.#labels.get(name)!;
  }

  /** @throws RangeError a jump of one byte that leads too far, or to no label. */
  bytes(): Buffer {
    const code = Buffer.from(this.#bytes);
    for (const { at, width, to } of this.#jumps) {
      const target = this.#labels.get(to);
      if (target === undefined) throw new RangeError(`a jump to '${to}', which is nowhere`);
      code.writeIntLE(target - (at + width), at, width);
    }
    return code;
  }
}

/** A 32-bit operand, as its four bytes. */
export function imm32(value: number): readonly number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}
