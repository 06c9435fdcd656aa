import type { StopRule } from './stop.ts';

export interface RoundsSpec {
  readonly rule: 'rounds';
  readonly rounds: number;
}

export const roundsDefaults: RoundsSpec = { rule: 'rounds', rounds: 1 };

/** The paper's rule: K live rounds, then stop, whatever is left (Checconi, Cucinotta and Stein, §3). */
export function rounds(spec: RoundsSpec): StopRule {
  return (progress) => {
    const done = progress.rounds.length;
    if (!progress.roundEnded || done < spec.rounds) return undefined;
    return { decision: 'stop', reason: `${done} of ${spec.rounds} rounds done` };
  };
}
