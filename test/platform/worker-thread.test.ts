import { expect, onTestFinished, test } from 'vitest';
import type { ViewerMethods } from '../../src/observe/viewer/viewer-methods.ts';
import { Failure } from '../../src/platform/failure.ts';
import { WorkerThread } from '../../src/platform/worker-thread.ts';

const data = { host: '127.0.0.1', token: 1, periodNs: 10e6 };

function started(): WorkerThread<ViewerMethods> {
  const thread = new WorkerThread<ViewerMethods>('viewer', 'observe/viewer/viewer-worker', data);
  onTestFinished(() => thread.end());
  return thread;
}

test('a call returns what the method returns, or fails with its reason', async () => {
  const thread = started();
  expect(await thread.call('listen')).toBeGreaterThan(0);
  const again = thread.call('listen');
  await expect(again).rejects.toThrow(Failure);
  await expect(again).rejects.toThrow('Socket is already bound');
});

test('a call overtakes one that waits', async () => {
  const thread = started();
  const order: string[] = [];
  const slow = thread.call('outage', 1).then(() => order.push('outage'));
  await thread.call('watchGaps').then(() => order.push('watchGaps'));
  await slow;
  expect(order).toEqual(['watchGaps', 'outage']);
});

test('once the thread has ended, calls that wait fail, and later ones too', async () => {
  const thread = started();
  await thread.call('listen');
  const waiting = expect(thread.call('outage', 1)).rejects.toThrow('the viewer thread has ended');
  await thread.end();
  await waiting;
  await expect(thread.call('listen')).rejects.toThrow('the viewer thread has ended');
});
