/** What a hand-over is built on. A test breaks one rule after another, and must see it. */
export interface Rules {
  readonly sourceSyncsCommit: boolean;
  readonly destinationSyncsCommit: boolean;
  readonly destinationWaitsForCommit: boolean;
  readonly sourceKeepsStoppedAfterCommit: boolean;
  readonly recoverAsksWhoLives: boolean;
  readonly destinationHangsUpBeforeItAnswers: boolean;
}

export const soundRules: Rules = {
  sourceSyncsCommit: true,
  destinationSyncsCommit: true,
  destinationWaitsForCommit: true,
  sourceKeepsStoppedAfterCommit: true,
  recoverAsksWhoLives: true,
  destinationHangsUpBeforeItAnswers: true,
};

/** What must never be. */
export class Broken extends Error {}
