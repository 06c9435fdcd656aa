import { Failure } from '../platform/failure.ts';

/** A guest whose migration has just ended is given so long to leave. */
const LEAVING_MS = 2_000;

/** Who is here, by name: a guest that is being received, or runs. There can be only one of a name. */
export class NameClaims {
  readonly #left = new Map<string, Promise<void>>();

  /**
   * @param waitMs how long one of this name may take to leave
   * @returns to be called when the guest has left. @throws Failure a guest of this name is here
   */
  async claim(name: string, waitMs = LEAVING_MS): Promise<() => void> {
    const until = Date.now() + waitMs;
    for (let left = this.#left.get(name); left; left = this.#left.get(name)) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(true), Math.max(0, until - Date.now()));
      });
      const stays = await Promise.race([left.then(() => false), late]);
      clearTimeout(timer);
      if (stays) {
        throw new Failure(
          `guest '${name}' is here already, running or being received: wait until it has left, or give this one another guest.name`,
        );
      }
    }
    let leave = () => {};
    this.#left.set(name, new Promise((resolve) => (leave = resolve)));
    return () => {
      this.#left.delete(name);
      leave();
    };
  }
}
