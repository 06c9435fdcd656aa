import { stopRuleDefinition } from './stop-rule.ts';

/**
 * Xen's rule (tools/libs/guest/xg_sr_save.c, simple_precopy_policy, formerly xc_sr_save.c): stop once
 *
 *   rounds done ≥ 5  or  pages dirty < 50.
 *
 * Its caller, send_memory_live, still sends those fewer than 50 pages as one more live round before it
 * suspends the guest. So the count that decides is that of the round just sent, unless nothing is dirty.
 */
export const xen = stopRuleDefinition({
  name: 'xen',
  describe: 'Xen’s: stop after so many rounds, or when few pages are dirty',
  defaults: { rounds: 5, pages: 50 },
  counts: ['rounds', 'pages'],
  means: {
    rounds: 'The most rounds.',
    pages: 'Stop when fewer pages than these are dirty.',
  },
  withinRounds: false,
  ends: () => 'stop',
  rule: (spec) => (progress) => {
    const last = progress.rounds.at(-1);
    if (!progress.roundEnded || last === undefined) return undefined;
    if (last.dirtyPages < spec.pages || progress.pendingPages === 0) {
      return { decision: 'stop', reason: `fewer than ${spec.pages} pages were dirty` };
    }
    if (progress.rounds.length < spec.rounds) return undefined;
    return { decision: 'stop', reason: `${progress.rounds.length} of ${spec.rounds} rounds done` };
  },
});
