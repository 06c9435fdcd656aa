import { parentPort } from 'node:worker_threads';
import { setNice } from '../platform/thread-scheduling.ts';
import type { WatchEvent } from '../run/watch/watch-event.ts';
import { WatchedMonitor } from '../run/watch/watched-monitor.ts';
import type { WatchedSocket } from './configuration.ts';
import type { WatchedMachineView } from './watch-schemas.ts';
import { afterEvent, newlyWatched } from './watched-view.ts';

/** What has happened to a machine, and how it is since then. */
export interface WatchNews {
  readonly event: WatchEvent;
  readonly machine: WatchedMachineView;
}

/** Guests and their migrations go first: a look can wait for a moment. */
const WATCH_NICE = 5;

interface Followed {
  readonly socket: WatchedSocket;
  readonly monitor: WatchedMonitor;
}

/** By name. */
const followed = new Map<string, Followed>();

setNice(WATCH_NICE);
parentPort!.on('message', (wanted: readonly WatchedSocket[]) => {
  const byName = new Map(wanted.map((socket) => [socket.name, socket]));
  for (const [name, { socket, monitor }] of followed) {
    if (isSame(socket, byName.get(name))) continue;
    monitor.close();
    followed.delete(name);
  }
  for (const [name, socket] of byName) if (!followed.has(name)) followed.set(name, follow(socket));
});

function isSame(one: WatchedSocket, other: WatchedSocket | undefined): boolean {
  return one.socket === other?.socket && one.stopRateBytesPerSecond === other.stopRateBytesPerSecond;
}

function follow(socket: WatchedSocket): Followed {
  let machine = newlyWatched(socket);
  const { stopRateBytesPerSecond } = socket;
  const monitor = new WatchedMonitor(socket.socket, { stopRateBytesPerSecond }, (event) => {
    machine = afterEvent(machine, event, monitor.status);
    parentPort!.postMessage({ event, machine } satisfies WatchNews);
  });
  void monitor.follow();
  return { socket, monitor };
}
