import { Failure } from '../platform/failure.ts';
import type { Qmp } from './qmp.ts';

/** What a QEMU does when it migrates, as its monitor names it. Those that a version does not know are not there. */
export interface MigrationSettings {
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly parameters: Readonly<Record<string, SettingValue>>;
}

/** Parameters that hold anything else are not told here, and cannot be set. */
export type SettingValue = number | string | boolean;

interface Capability {
  readonly capability: string;
  readonly state: boolean;
}

/** All of them, as they are. */
export async function readSettings(qmp: Qmp): Promise<MigrationSettings> {
  const capabilities = await qmp.execute<readonly Capability[]>('query-migrate-capabilities');
  const parameters = await qmp.execute<Readonly<Record<string, unknown>>>('query-migrate-parameters');
  return {
    capabilities: Object.fromEntries(capabilities.map(({ capability, state }) => [capability, state])),
    parameters: Object.fromEntries(
      Object.entries(parameters).filter((entry): entry is [string, SettingValue] =>
        ['number', 'string', 'boolean'].includes(typeof entry[1]),
      ),
    ),
  };
}

/** Capabilities cannot be set while it migrates. @throws Failure QEMU refuses */
export async function writeSettings(
  qmp: Qmp,
  { capabilities, parameters }: MigrationSettings,
): Promise<void> {
  const list = Object.entries(capabilities).map(([capability, state]) => ({ capability, state }));
  if (list.length > 0) await qmp.execute('migrate-set-capabilities', { capabilities: list });
  if (Object.keys(parameters).length > 0) await qmp.execute('migrate-set-parameters', parameters);
}

/** What is now of those that `wanted` names. @throws Failure this QEMU does not know one of them */
export function settingsNamedIn(wanted: MigrationSettings, now: MigrationSettings): MigrationSettings {
  const of = <Value>(kind: keyof MigrationSettings, values: Readonly<Record<string, Value>>) =>
    Object.fromEntries(
      Object.keys(wanted[kind]).map((name) => {
        const value = values[name];
        if (value === undefined) throw new Failure(`this QEMU is too old: it does not know '${name}'`);
        return [name, value];
      }),
    );
  return {
    capabilities: of('capabilities', now.capabilities),
    parameters: of('parameters', now.parameters),
  };
}

/** Whether they are the same, as far as `one` goes. */
export function holds(one: MigrationSettings, all: MigrationSettings): boolean {
  return (['capabilities', 'parameters'] as const).every((kind) =>
    Object.entries(one[kind]).every(([name, value]) => all[kind][name] === value),
  );
}
