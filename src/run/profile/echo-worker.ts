import { serve } from '../../platform/worker-thread.ts';

/** Answers as soon as it can, in the two ways in which threads tell each other something. */
export interface EchoMethods {
  echo(): void;
  /** Sets a word back to 0 whenever it is something else, so many times. */
  clear(word: SharedArrayBuffer, times: number): void;
}

const methods: EchoMethods = {
  echo: () => {},
  clear(word, times) {
    const value = new Int32Array(word);
    for (let i = 0; i < times; i++) {
      while (Atomics.load(value, 0) === 0) Atomics.wait(value, 0, 0);
      Atomics.store(value, 0, 0);
      Atomics.notify(value, 0);
    }
  },
};
serve(methods);
