/**
 * Seeded random numbers: xoshiro128** (Blackman & Vigna, 2018), its four words of state in a Uint32Array.
 * The array may lie anywhere, in a guest's own pages too: whoever copies those words copies the future.
 */
export class Random {
  readonly #state: Uint32Array;

  /** Continues from `state`, four words that are not all zero. */
  constructor(state: Uint32Array) {
    this.#state = state;
  }

  /** A fresh stream. The same seed and stream number give the same numbers on every machine. */
  static seeded(seed: number, stream = 0): Random {
    const random = new Random(new Uint32Array(4));
    random.reseed(seed, stream);
    return random;
  }

  /** Writes a fresh state over this one (splitmix32 over seed and stream, as its authors advise). */
  reseed(seed: number, stream = 0): void {
    let x =
      (seed >>> 0) ^
      Math.imul(Math.floor(seed / 2 ** 32) + 1, 0x85eb_ca6b) ^
      Math.imul(stream + 1, 0xc2b2_ae35);
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e37_79b9) | 0;
      let z = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
      this.#state[i] = (z ^ (z >>> 15)) >>> 0;
    }
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** 32 uniform bits. */
  bits(): number {
    const s = this.#state;
    const s1 = s[1]!;
    const times5 = Math.imul(s1, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const s2 = s[2]! ^ s[0]!;
    const s3 = s[3]! ^ s1;
    s[1] = s1 ^ s2;
    s[0] = s[0]! ^ s3;
    s[2] = s2 ^ (s1 << 9);
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 67_108_864 + (this.bits() >>> 6)) / 9_007_199_254_740_992;
  }

  /** True with this probability, to within 2^−32. */
  happens(probability: number): boolean {
    return this.bits() < probability * 2 ** 32;
  }

  /**
   * 32 draws for each word: each bit is set with this probability, to within 2^−32. Of each, a uniform number is compared with
   * the probability, bit by bit from the highest, until the first difference, for all 32 in one word: about seven words in
   * all. The state is kept out of memory meanwhile.
   */
  happenings(words: Uint32Array, probability: number): void {
    const limit = Math.min(probability * 2 ** 32, 2 ** 32 - 1) | 0;
    const state = this.#state;
    let s0 = state[0]! | 0;
    let s1 = state[1]! | 0;
    let s2 = state[2]! | 0;
    let s3 = state[3]! | 0;
    for (let word = 0; word < words.length; word++) {
      let set = 0;
      let undecided = -1;
      // A set bit of the limit lets those below it happen; a bit of 0 rules out those above it.
      for (let rest = limit; rest !== 0 && undecided !== 0; rest <<= 1) {
        const times5 = Math.imul(s1, 5);
        const bits = Math.imul((times5 << 7) | (times5 >>> 25), 9);
        s2 ^= s0;
        s3 ^= s1;
        const next1 = s1 ^ s2;
        s0 ^= s3;
        s2 ^= s1 << 9;
        s3 = (s3 << 11) | (s3 >>> 21);
        s1 = next1;
        const limitBits = rest >> 31;
        set |= undecided & limitBits & ~bits;
        undecided &= ~(bits ^ limitBits);
      }
      words[word] = set;
    }
    state[0] = s0;
    state[1] = s1;
    state[2] = s2;
    state[3] = s3;
  }

  /**
   * Whether a Poisson process has any event where it has `mean` of them on average: probability 1 − exp(−mean), to
   * within 2^−32. That lies between mean / (1 + mean) and mean, which settles most draws without the exponential.
   */
  occurs(mean: number): boolean {
    const uniform = this.bits() / 2 ** 32;
    if (uniform >= mean) return false;
    return uniform * (1 + mean) < mean || uniform < 1 - Math.exp(-mean);
  }

  /** A whole number in [0, n), n ≤ 2^32; no number is likelier than another by more than n / 2^32. */
  below(n: number): number {
    return Math.floor((this.bits() / 2 ** 32) * n);
  }

  /** Normal with mean 0 and variance 1 (Box and Muller, 1958). */
  normal(): number {
    return Math.sqrt(this.exponential(2)) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Exponential with the given mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.uniform()) * mean;
  }

  /**
   * How many of a row of things are passed over before the next one that happens, each happening with probability
   * 1 − exp(−mean): geometric, drawn as the whole part of an exponential.
   */
  skips(mean: number): number {
    return Math.floor(this.exponential(1 / mean));
  }

  /**
   * Fisher–Yates, in place: each place in turn, from the last on, swaps with one that is `below` it or itself. The state
   * is kept out of memory meanwhile, which doubles the speed of what large guests do most.
   */
  shuffle<T extends Uint32Array>(values: T): T {
    const state = this.#state;
    let s0 = state[0]! | 0;
    let s1 = state[1]! | 0;
    let s2 = state[2]! | 0;
    let s3 = state[3]! | 0;
    for (let i = values.length - 1; i > 0; i--) {
      const times5 = Math.imul(s1, 5);
      const bits = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
      s2 ^= s0;
      s3 ^= s1;
      const next1 = s1 ^ s2;
      s0 ^= s3;
      s2 ^= s1 << 9;
      s3 = (s3 << 11) | (s3 >>> 21);
      s1 = next1;
      const j = ((bits / 2 ** 32) * (i + 1)) >>> 0;
      const kept = values[i]!;
      values[i] = values[j]!;
      values[j] = kept;
    }
    state[0] = s0;
    state[1] = s1;
    state[2] = s2;
    state[3] = s3;
    return values;
  }
}
