/**
 * Sums over the pages of a round, in the order in which they are sent, for the variance that a round carries into the
 * next (`meanFieldRound`). Pages of a stretch are sent mixed: on average half of the others go before each.
 */
export class Changes {
  readonly #clearsEach: boolean;
  /** How many pages a slot more would dirty: among those sent so far; wherever in the round it were. */
  #exposedBefore = 0;
  #exposedAnyway = 0;
  /** Of the stretch: the first of these two, Σw and Σw·own for weights w = d(1 − d), the same for growth = rate·(1 − d). */
  #stretchExposed = 0;
  #stretchVariance = 0;
  #stretchOwn = 0;
  #stretchGrowth = 0;
  #stretchGrown = 0;
  // With s = own + exposedBefore, and weights w = d(1 − d) or growth: Σw, Σw·s, Σw·s² − Σw·own².
  #variance = 0;
  #changed = 0;
  #injected = 0;
  #growth = 0;
  #sentGrowth = 0;
  #grown = 0;

  constructor(clear: 'page' | 'round') {
    this.#clearsEach = clear === 'page';
  }

  /** So many pages, each dirty with probability d: what remains untouched in the whole round, and since it was sent. */
  sent(pages: number, d: number, rate: number, untouched: number, kept: number): void {
    const own = untouched - kept;
    const variance = pages * d * (1 - d);
    const growth = pages * rate * (1 - d);
    this.#stretchVariance += variance;
    this.#stretchOwn += variance * own;
    this.#stretchGrowth += growth;
    this.#stretchGrown += growth * own;
    const exposed = pages * d * rate * kept;
    if (this.#clearsEach) this.#stretchExposed += exposed;
    else this.#exposedAnyway += exposed;
    this.#exposedAnyway += growth * untouched;
  }

  heldBack(pages: number, d: number, rate: number, untouched: number): void {
    const growth = pages * rate * (1 - d);
    this.#exposedAnyway += growth * untouched;
    this.#growth += growth;
    this.#grown += growth * untouched;
  }

  /** `mixed`: how many pages share its slots. */
  endStretch(mixed: number): void {
    const others = this.#exposedBefore + (this.#stretchExposed * (mixed - 1)) / (2 * mixed);
    this.#variance += this.#stretchVariance;
    this.#changed += this.#stretchOwn + this.#stretchVariance * others;
    this.#injected += others * (2 * this.#stretchOwn + this.#stretchVariance * others);
    this.#growth += this.#stretchGrowth;
    this.#sentGrowth += this.#stretchGrowth;
    this.#grown += this.#stretchGrown + this.#stretchGrowth * others;
    this.#exposedBefore += this.#stretchExposed;
    this.#stretchExposed = 0;
    this.#stretchVariance = 0;
    this.#stretchOwn = 0;
    this.#stretchGrowth = 0;
    this.#stretchGrown = 0;
  }

  /** exposedAnyway is only known now; it changes every s by the same amount. */
  carriedVariance(carriedIn: number): number {
    const anyway = this.#exposedAnyway;
    const injected = this.#injected + 2 * anyway * this.#changed + anyway * anyway * this.#variance;
    if (this.#growth === 0) return injected;
    const gain = (this.#grown + anyway * this.#sentGrowth) / this.#growth;
    return injected + gain * gain * carriedIn;
  }
}
