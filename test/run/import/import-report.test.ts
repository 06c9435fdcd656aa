import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLogs } from '../../../src/observe/import/read-logs.ts';
import { importReport, textOfScenario } from '../../../src/run/import/import-report.ts';
import { experimentOf, scenarioOf } from '../../../src/scenario/scenario.ts';
import { parseYaml } from '../../../src/scenario/yaml-file.ts';

const folder = resolve(import.meta.dirname, '../../fixtures/import');
const reportOf = (file: string) => importReport(readLogs([join(folder, file)]));

describe('what happened is said of', () => {
  test('a migration whose rounds shrank', () => {
    const { happened } = reportOf('qemu-ycsb/Precopy_Convergent/mig-stats-run-2.json.gz');
    expect(happened).toMatchObject({ outcome: 'completed', totalNs: 17.113e9, downtimeNs: 11e6, syncs: 7 });
    expect(happened.reason).toMatch(/^each round left less/);
  });

  test('one that did not converge until its load ended', () => {
    const { happened } = reportOf('qemu-ycsb/Precopy_Nonconvergent_OnlyReads_16T/mig-stats-run-2.json.gz');
    expect(happened.reason).toMatch(
      /^rounds did not shrink from .* because the guest wrote less from 10\d s on$/,
    );
  });

  test('one that auto-converge ended', () => {
    const { happened, leftOut } = reportOf('qemu-ycsb/Autoconverge_16T/mig-stats-run-4.json.gz');
    expect(happened.throttled).toEqual({ fromNs: 37.152e9, mostPercent: 50 });
    expect(leftOut).toContain('auto-converge: the scenario’s guest is not throttled');
  });

  test('one that switched to post-copy', () => {
    const { happened } = reportOf('qemu-ycsb/Postcopy_Late_16T_25s/mig-stats-run-4.json.gz');
    expect(happened.phases.map(({ name }) => name)).toEqual(['active', 'postcopy-active', 'completed']);
    expect(happened.reason).toMatch(/^it switched to post-copy at 25\.\d s$/);
  });
});

describe('a scenario', () => {
  const report = reportOf('qemu-ycsb/Precopy_Nonconvergent_16T/mig-stats-run-4.json.gz');
  const text = textOfScenario(report)!;

  test('is the same as a file and as JSON', () => {
    const fromText = parseYaml(text, 'imported.yaml') as { guest: { program: { classes: object[] } } };
    const fromJson = JSON.parse(JSON.stringify(report.scenario));
    // Rates have four digits in the file.
    expect({ ...fromText, guest: { ...fromText.guest, program: null } }).toEqual({
      ...fromJson,
      guest: { ...fromJson.guest, program: null },
    });
    expect(fromText.guest.program.classes).toHaveLength(report.fit!.classes.length);
  });

  test('can be run, and says where it comes from', () => {
    const { cells } = experimentOf(scenarioOf(parseYaml(text, 'x'), { name: 'x', file: 'x' }));
    expect(cells).toHaveLength(1);
    expect(text).toContain('# Fitted to');
    expect(text).toContain('onTimeout: stop');
  });

  test('is not written where the log does not say how fast the guest dirties its memory', () => {
    const { scenario, leftOut } = reportOf('kubevirt-vmi.yaml');
    expect(scenario).toBeNull();
    expect(leftOut.at(-1)).toMatch(/^no scenario: the log does not say how fast/);
  });
});
