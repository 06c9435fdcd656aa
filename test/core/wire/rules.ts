/** What a hand-over is built on. A test breaks one rule after another, and must see it. */
export interface Rules {
  readonly sourceSyncsCommit: boolean;
  readonly destinationSyncsCommit: boolean;
  readonly destinationWaitsForCommit: boolean;
  readonly sourceKeepsStoppedAfterCommit: boolean;
  readonly recoverAsksWhoLives: boolean;
  readonly destinationHangsUpBeforeItAnswers: boolean;
  /** And not by whether its number is found where `recover` runs. */
  readonly lifeIsProvedByASocket: boolean;
  readonly copiesAreRecognised: boolean;
  readonly unknownIsNotEnded: boolean;
  readonly lifeIsAskedBeforeReading: boolean;
  /** And not their last lines alone. */
  readonly journalsAreCheckedWhole: boolean;
}

export const soundRules: Rules = {
  sourceSyncsCommit: true,
  destinationSyncsCommit: true,
  destinationWaitsForCommit: true,
  sourceKeepsStoppedAfterCommit: true,
  recoverAsksWhoLives: true,
  destinationHangsUpBeforeItAnswers: true,
  lifeIsProvedByASocket: true,
  copiesAreRecognised: true,
  unknownIsNotEnded: true,
  lifeIsAskedBeforeReading: true,
  journalsAreCheckedWhole: true,
};

/** What must never be. */
export class Broken extends Error {}
