import { describe, expect, test } from 'vitest';
import type { Step, StepResult } from '../../src/core/migration/steps.ts';
import { drive, driveSync } from '../../src/run/drive.ts';
import { VirtualWorld } from '../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../fixtures/setup.ts';

const spec = smallSetup({ plan: { stop: { rule: 'rounds', rounds: 2 } } });

describe('driving a migration', () => {
  test('comes to the same step by step whether or not the world is waited for', async () => {
    const [waited, atOnce]: [Step, StepResult][][] = [[], []];
    const result = await drive(spec.plan, new VirtualWorld(spec), (...heard) => waited!.push(heard));
    expect(driveSync(spec.plan, new VirtualWorld(spec), (...heard) => atOnce!.push(heard))).toEqual(result);
    expect(atOnce).toEqual(waited);
    expect(waited!.at(-1)![0].kind).toBe('hand over');
    expect(result).toMatchObject({ outcome: 'completed', rounds: [{ round: 1 }, { round: 2 }] });
  });

  test('tells the listener of a step before the next one is asked for', () => {
    const world = new VirtualWorld(spec);
    const heard: string[] = [];
    const carryOut = (step: Step): StepResult => {
      heard.push(`asked ${step.kind}`);
      return world.carryOut(step);
    };
    driveSync(spec.plan, { carryOut }, (step) => heard.push(`heard ${step.kind}`));
    expect(heard.length % 2).toBe(0);
    for (let at = 0; at < heard.length; at += 2) {
      expect(heard[at + 1]).toBe(heard[at]!.replace('asked', 'heard'));
    }
  });

  test('ends with a result where a step cannot be carried out: the next one is to give up', () => {
    const world = new VirtualWorld(spec);
    const carryOut = (step: Step): StepResult => {
      const result = world.carryOut(step);
      return step.kind === 'stop' ? { kind: 'failed', now: result.now, why: 'no answer' } : result;
    };
    const steps: string[] = [];
    const result = driveSync(spec.plan, { carryOut }, ({ kind }) => steps.push(kind));
    expect(result).toMatchObject({ outcome: 'failed', reason: 'no answer', owner: 'source' });
    expect(steps.slice(-2)).toEqual(['stop', 'abort']);
  });
});
