import { Failure } from '../platform/failure.ts';

/** A guest whose migration has just ended is given so long to release its name. */
const RELEASE_MS = 2_000;

/** Who is here, by name: a guest that is being received, or runs. There can be only one of a name. */
export class NameClaims {
  readonly #released = new Map<string, Promise<void>>();

  /**
   * @param waitMs how long a guest of this name may take to release it
   * @returns how to release the name. @throws Failure a guest of this name is here
   */
  async claim(name: string, waitMs = RELEASE_MS): Promise<() => void> {
    const until = performance.now() + waitMs;
    for (let released = this.#released.get(name); released; released = this.#released.get(name)) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(true), Math.max(0, until - performance.now()));
      });
      const stays = await Promise.race([released.then(() => false), late]);
      clearTimeout(timer);
      if (stays) {
        throw new Failure(
          `a guest '${name}' is already here or arriving: wait until it has left, or use another guest.name`,
        );
      }
    }
    let release = () => {};
    this.#released.set(name, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#released.delete(name);
      release();
    };
  }
}
