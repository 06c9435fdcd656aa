import { serve } from '../platform/worker-thread.ts';
import { rehearsedMachine } from '../run/rehearsed-machine.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';

/** One rehearsal of a machine, in a thread of its own: its whole memory passes here. */

const interrupted = new AbortController();

const methods = {
  /** @param folder where its settings are written down */
  rehearse: (name: string, socket: string, folder: string): Promise<GuestDefinition> =>
    rehearsedMachine(name, { socket, folder }, interrupted.signal),
  interrupt: (): void => interrupted.abort(),
};
serve(methods);

export type RehearsalMethods = typeof methods;
