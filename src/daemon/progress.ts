import type { Step, StepResult } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import type { Progress } from './migration-schemas.ts';

/** The steps of a migration and what was seen, as progress. */
export class ProgressOfSteps {
  #phase: Progress['phase'] = 'connecting';
  #dirtyPages: number | null = null;
  #sinceNs: Nanos = 0;
  #sent = { pages: 0, bytes: 0 };
  #roundSent = false;
  readonly #rounds: Progress['rounds'][number][] = [];

  /** @returns whether there is something new to show */
  see(step: Step, seen: StepResult): boolean {
    switch (step.kind) {
      case 'observe':
      case 'learn':
        return this.#enter('observing');
      case 'track':
        this.#sinceNs = seen.now;
        this.#dirtyPages = seen.kind === 'dirty' ? seen.dirty.count() : null;
        return this.#enter('live');
      case 'send':
        if (seen.kind !== 'sent') return false;
        this.#sent = { pages: this.#sent.pages + seen.sentPages, bytes: this.#sent.bytes + seen.bytes };
        this.#roundSent = step.endsRound;
        return this.#phase === 'stopped' && this.#enter('handing over');
      case 'harvest': {
        if (seen.kind !== 'dirty' || !this.#roundSent) return false;
        this.#roundSent = false;
        this.#dirtyPages = seen.dirty.count();
        this.#rounds.push({
          round: this.#rounds.length + 1,
          sentPages: this.#sent.pages,
          bytes: this.#sent.bytes,
          durationNs: seen.now - this.#sinceNs,
          dirtyPages: this.#dirtyPages,
        });
        this.#sinceNs = seen.now;
        this.#sent = { pages: 0, bytes: 0 };
        return true;
      }
      case 'stop':
        return this.#enter('stopped');
      case 'hand over':
      case 'abort':
        return this.#enter('ended');
      default:
        return false;
    }
  }

  get shown(): Progress {
    return { phase: this.#phase, rounds: [...this.#rounds], dirtyPages: this.#dirtyPages };
  }

  #enter(phase: Progress['phase']): boolean {
    const isNew = this.#phase !== phase;
    this.#phase = phase;
    return isNew;
  }
}
