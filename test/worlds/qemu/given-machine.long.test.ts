import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ReceiverPlace } from '../../../src/worlds/qemu/machine-journal.ts';
import { MachineReceiver } from '../../../src/worlds/qemu/machine-receiver.ts';
import { askToRun } from '../../../src/worlds/qemu/remote-destination.ts';
import { settleMachines } from '../../../src/worlds/qemu/settle-machines.ts';
import { diesAt } from '../../fixtures/dying-relay.ts';
import { withoutQemu10 } from '../../fixtures/others-machine.ts';
import { RelayedMachine } from '../../fixtures/relayed-machine.ts';

test.skipIf(withoutQemu10)(
  'after the source is done, and it is behind a receiver: that one is asked to run it, once',
  async () => {
    const moved = await RelayedMachine.start();
    const said: string[] = [];
    const receiver = await MachineReceiver.listen({
      ...{ host: '127.0.0.1', port: 0, key: null, qmp: moved.destination.ours },
      log: (line) => said.push(line),
    });
    const there = { ...receiver.address, key: null };
    try {
      await diesAt(moved, 'handed over', 'at once', there);
      await expect.poll(() => said.at(-1)).toContain('complete and paused');
      expect(await moved.runs()).toEqual([false, false]);
      const stranger = { guest: 'machine', migration: randomUUID() };
      await expect(askToRun(there, stranger)).rejects.toThrow('nothing is known here of that migration');
      const ask = ({ guest, migration }: ReceiverPlace) => askToRun(there, { guest, migration });
      expect(await settleMachines(moved.journals, [], ask)).toMatchObject([
        { did: 'runs at its destination' },
      ]);
      expect(await moved.runs()).toEqual([false, true]);
      expect(await settleMachines(moved.journals, [], ask)).toEqual([]);
    } finally {
      receiver.close();
      await moved.end();
    }
  },
);
