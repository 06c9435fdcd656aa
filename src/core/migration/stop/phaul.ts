import { stopRuleDefinition } from './stop-rule.ts';

/**
 * CRIU's rule (p.haul, phaul/iters.py, __check_live_iter_progress): stop after a round that
 *
 *   sent ≤ 64 pages,  or  sent > 1.1 × the round before it,  or  had index ≥ 8.
 *
 * All three look back at what was sent, none at what is pending. p.haul numbers its rounds from 0, so its
 * "maximum of 8" lets nine be sent; and 64 pages are few enough, not only fewer.
 */
export const phaul = stopRuleDefinition({
  name: 'phaul',
  describe: 'CRIU’s p.haul: stop when a round sent little, or more than the one before it',
  defaults: {
    rounds: 8,
    pages: 64,
    growth: 0.1,
  },
  counts: ['rounds', 'pages'],
  means: {
    rounds: 'The index, counted from 0, of the last round that may be sent.',
    pages: 'Stop after a round that sent no more pages than these.',
    growth: 'By how much a round may exceed the one before it; 0.1 is ten per cent.',
  },
  withinRounds: false,
  ends: () => 'stop',
  rule: (spec) => (progress) => {
    const last = progress.rounds.at(-1);
    if (!progress.roundEnded || last === undefined) return undefined;
    if (last.sentPages <= spec.pages) {
      return { decision: 'stop', reason: `the round sent only ${last.sentPages} pages` };
    }
    const before = progress.rounds.at(-2);
    if (before !== undefined && last.sentPages - before.sentPages > spec.growth * before.sentPages) {
      return { decision: 'stop', reason: `rounds grow: ${before.sentPages}, then ${last.sentPages} pages` };
    }
    if (progress.rounds.length <= spec.rounds) return undefined;
    return { decision: 'stop', reason: `${progress.rounds.length} rounds done` };
  },
});
