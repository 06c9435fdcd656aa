import { stopRuleDefinition } from './stop-rule.ts';

/** The paper's rule: K live rounds, then stop, whatever is left (Checconi, Cucinotta and Stein, §3). */
export const rounds = stopRuleDefinition({
  name: 'rounds',
  describe: 'The paper’s: so many live rounds, then the stop, whatever is left',
  defaults: { rounds: 1 },
  counts: ['rounds'],
  mayBeZero: ['rounds'],
  means: { rounds: 'K, how many live rounds; 0: the guest is stopped while all of it is sent.' },
  withinRounds: false,
  ends: () => 'stop',
  rule: (spec) => (progress) => {
    const done = progress.rounds.length;
    if (!progress.roundEnded || done < spec.rounds) return undefined;
    return { decision: 'stop', reason: `${done} of ${spec.rounds} rounds done` };
  },
});
