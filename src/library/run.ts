/** Carrying out: one scenario in a world, the model's answer for it, and whole designs. */
export { Failure, Refusal } from '../platform/failure.ts';
export { type Prediction, predict } from '../run/predict.ts';
export { predictions } from '../run/predictions.ts';
export { type CellResult, type RunListener, type RunOptions, run } from '../run/run.ts';
export { type Shard, wholeDesign } from '../study/sweep/agenda.ts';
export { type Design, loadDesign } from '../study/sweep/design.ts';
export { type SweepOptions, type SweepResult, sweep } from '../study/sweep/sweep.ts';
export { sweepTable } from '../study/tables/sweep-table.ts';
export { experimentTable } from '../study/tables/table.ts';
export { type WorldName, worldNames } from '../worlds/world-names.ts';
export { type WorldFactory, worldFactory } from '../worlds/worlds.ts';
