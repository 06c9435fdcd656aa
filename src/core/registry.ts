/** What can be chosen by name. */
export interface Named {
  /** Lower-case words joined by dashes: `coldest-first`. */
  readonly name: string;
  /** One line for people, which follows "NAME: ". */
  readonly describe: string;
}

/** What is wrong with what a user wrote: where, what was expected, what was found. */
export interface Problem {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
  /** What was probably meant. */
  readonly meant?: string | undefined;
  /** Where it stands in a file, over one or more lines. */
  readonly at?: string | undefined;
}

/** A line for each, and below it where it stands. */
export function inLines(problems: readonly Problem[]): string {
  return problems
    .map(({ path, expected, found, meant, at }) => {
      const question = meant === undefined ? '' : `; did you mean ${meant}?`;
      return `${path}: expected ${expected}, found ${found}${question}${at === undefined ? '' : `\n  ${at}`}`;
    })
    .join('\n');
}

/** Nothing of that name is known. Names those that are. */
export class UnknownName extends RangeError {}

/** Code that a user registered threw, or returned what it must not. */
export class RegisteredCodeFailed extends Error {}

/** What a user's code returns. @throws RegisteredCodeFailed it threw */
export function ofUsersCode<Result>(what: string, code: () => Result): Result {
  try {
    return code();
  } catch (cause) {
    throw new RegisteredCodeFailed(`${what} threw: ${cause}`, { cause });
  }
}

/** What was to be registered is not as it must be: all that is wrong with it. */
export class BadDefinition extends TypeError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(inLines(problems));
    this.problems = problems;
  }
}

/** Notes what is wrong with a property unless something holds. */
export type InsistOn = (holds: boolean, path: string, expected: string, found: unknown) => void;

/** Things of one kind by name: those of this program first, then those that its user adds. */
export class Registry<Thing extends Named> {
  readonly #kind: string;
  readonly #things: Map<string, Thing>;

  /** @param kind what they are, in words: `page order` */
  constructor(kind: string, own: readonly Thing[]) {
    this.#kind = kind;
    this.#things = new Map(own.map((thing) => [thing.name, thing]));
  }

  get names(): readonly string[] {
    return [...this.#things.keys()];
  }

  get all(): readonly Thing[] {
    return [...this.#things.values()];
  }

  find(name: string): Thing | undefined {
    return this.#things.get(name);
  }

  /** @throws UnknownName */
  get(name: string): Thing {
    const thing = this.#things.get(name);
    if (thing) return thing;
    throw new UnknownName(`no ${this.#kind} is called '${name}': there are ${this.names.join(', ')}`);
  }

  /**
   * Adds a thing that a user defined.
   * @param check insists on what things of this kind have besides a name
   * @throws BadDefinition all that is wrong with it; or its name is taken
   */
  add(thing: Thing, check: (insist: InsistOn) => void): void {
    const { name, describe } = thing;
    const wrong: Problem[] = [];
    const insist: InsistOn = (holds, path, expected, found) => {
      if (holds) return;
      const shown = JSON.stringify(found) ?? (found === undefined ? 'nothing' : String(found));
      wrong.push({ path: `${this.#kind} '${name}': ${path}`, expected, found: shown });
    };
    insist(isName(name), 'name', 'at most 63 lower-case letters and digits, words joined by dashes', name);
    insist(!this.#things.has(name), 'name', 'one that is not taken', name);
    insist(isOneLine(describe), 'describe', 'one line of text', describe);
    check(insist);
    if (wrong.length > 0) throw new BadDefinition(wrong);
    this.#things.set(name, Object.freeze({ ...thing }));
  }
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name.length <= 63 && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name);
}

function isOneLine(text: unknown): boolean {
  return typeof text === 'string' && text.length > 0 && !text.includes('\n');
}
