/**
 * What core insists on while it runs, and where each rule comes from. Each is asserted where it costs next to nothing;
 * docs/decisions/042 has the list with what it costs, and the rules that are only tested.
 */
const sources = {
  'cbs: 0 < Q ≤ P': 'Abeni & Buttazzo, RTSS 1998',
  'cbs: c ≤ Q': 'Abeni & Buttazzo, RTSS 1998',
  'cbs: d never moves back': 'Abeni & Buttazzo, RTSS 1998',
  'edf: the earliest deadline runs': 'Liu & Layland, 1973',
  'bucket: 0 ≤ tokens ≤ depth': 'ITU-T I.371, generic cell rate algorithm',
  'round: φ_k sends each page of D_k ∖ F_k once, F_k ⊆ D_k':
    'Checconi, Cucinotta & Stein, VHPC 2009, §3 and §4',
  'world: each step has its own answer': 'core/migration/ask.ts',
  'world: time never runs backwards': 'core/migration/contract.ts',
  'world: dirty pages are pages of the guest': 'core/migration/contract.ts',
  'world: windows are those asked for, of pages of the guest': 'core/migration/contract.ts',
  'world: all pages asked for are sent': 'core/migration/contract.ts',
  'owner: the source until the hand-over': 'core/wire/handover.ts, rule 1',
  'owner: whom the last answer names': 'core/migration/contract.ts',
  'owner: the last entries of both journals name one': 'core/wire/ownership.ts',
} as const;

export type Invariant = keyof typeof sources;

/**
 * A rule of core does not hold: a fault of this program, or of a world, a page order or a stop rule that it was given,
 * never of a user's scenario. It ends what was going on, because nothing that is computed from there on can be trusted.
 */
export class InvariantViolated extends Error {
  override readonly name = 'InvariantViolated';
  readonly rule: Invariant;
  readonly values: Readonly<Record<string, unknown>>;

  /** @param values what contradicts the rule, by the names that the rule uses */
  constructor(rule: Invariant, values: Readonly<Record<string, unknown>>) {
    const shown = Object.entries(values).map(([name, value]) => `${name} = ${value}`);
    super(`violated: ${rule} (${sources[rule]}); ${shown.join(', ')}`);
    this.rule = rule;
    this.values = values;
  }
}
