import { parentPort, workerData } from 'node:worker_threads';
import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { serve } from '../platform/worker-thread.ts';
import { moveMachine } from '../run/migrate-machine.ts';
import type { RequestedMigrationDocument, SharedLink } from '../scenario/migration-request.ts';
import { machineDefinition, requestedMachineMigration } from '../scenario/requested-machine.ts';
import type { DestinationThere } from '../transport/address.ts';
import { Allowance } from '../transport/allowance.ts';
import { Interruption } from '../transport/interruption.ts';
import { RemoteDestination } from '../worlds/qemu/remote-destination.ts';
import type { Progress } from './migration-schemas.ts';
import { specOf } from './planned-migration.ts';
import { ProgressOfSteps } from './progress.ts';

/** One move of a machine, in a thread of its own: its whole memory passes here, and the thread of the host serves others meanwhile. */
export interface MachineMoveData {
  readonly guest: string;
  /** Of its migration. */
  readonly id: string;
  /** Its monitor. */
  readonly qmp: string;
  /** Of each of its processors, while it leaves. */
  readonly reservation: KeptReservation | null;
  readonly journals: string;
  readonly scenario: string;
  readonly document: RequestedMigrationDocument;
  readonly link: SharedLink | undefined;
  readonly to: DestinationThere;
  /** What the link allows: an `Allowance`. */
  readonly allowance: SharedArrayBuffer;
}

/** What it tells while it moves. */
export interface MoveNews {
  readonly progress: Progress;
}

const { guest, id, qmp, reservation, journals, scenario, document, link, to, allowance } =
  workerData as MachineMoveData;
const interruption = new Interruption();
const progress = new ProgressOfSteps();

const methods = {
  move: (): Promise<MigrationRecord> =>
    moveMachine({
      ...{ qmp, journals, scenario, interruption, mode: 'pull', allowance: new Allowance(allowance) },
      specOf: ({ pages }) => {
        const machine = { name: guest, pages };
        const requested = requestedMachineMigration(document, machine, link, reservation);
        return specOf(requested, machineDefinition(machine, reservation));
      },
      destination: () => RemoteDestination.open(to, { guest, move: id }),
      stepped: (step, seen) => {
        if (progress.see(step, seen))
          parentPort!.postMessage({ progress: progress.shown } satisfies MoveNews);
      },
    }),
  cancel: (why: string): boolean => interruption.raise('cancelled', why),
};
serve(methods);

export type MachineMoveMethods = typeof methods;
