import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import { reasonOf } from '../platform/failure.ts';
import { tell } from '../platform/tell.ts';
import { setNice } from '../platform/thread-scheduling.ts';
import { type UsedFile, useAgain } from '../platform/used-files.ts';
import { guestDefinitionSchema } from '../scenario/migration-request.ts';
import type { ApiSettings } from './api-settings.ts';
import { EventStreams } from './event-streams.ts';
import type { HostNews } from './events.ts';
import { HostView } from './host-view.ts';
import { Metrics } from './metrics.ts';
import { count } from './metrics-feed.ts';
import { serverOf } from './server.ts';
import { withoutPast } from './watched-view.ts';

/** What the thread of the API is given when it starts. */
export interface ApiData {
  readonly version: string;
  readonly settings: ApiSettings;
  readonly bodyBytes: number;
  /** The folder of the records of experiments. */
  readonly records: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly use: readonly UsedFile[];
  /** To the thread of the guests. */
  readonly port: MessagePort;
}

/** How it begins: it listens on a port, or cannot. */
export type ApiBegun = { readonly listensOn: number } | { readonly why: string };

/** Guests and their migrations go first: a request can wait for a moment. */
const API_NICE = 5;

const { settings, version, bodyBytes, records, listen, use, port } = workerData as ApiData;
setNice(API_NICE);
await useAgain(use);
const host = new HostView(port, settings);
const streams = new EventStreams();
const metrics = new Metrics(version, async () => {
  const { targetDowntimeNs: downtimeTargetNs } = host.settings;
  const watched = host.listWatched().map(({ name: monitor, ...now }) => ({ monitor, ...now }));
  return { ...(await host.overview()), downtimeTargetNs, watched, watchers: streams.count };
});
/** Once it is there. */
let http: Server | undefined;
port.on('message', (news: HostNews) => {
  // What has no kind answers a call.
  if (news.kind === undefined) return;
  host.hear(news);
  if (news.kind === 'counted') count(metrics, news);
  else if (news.kind === 'followed') streams.tell({ kind: 'watched', value: withoutPast(news.value) });
  else if (news.kind !== 'settings') streams.tell(news);
  else if (news.value.apiTls && http instanceof TlsServer) http.setSecureContext(news.value.apiTls);
});

const log = pino({ base: { name: settings.name } }, { write: (line) => tell(line) });
const server = await serverOf({ host, streams, metrics, version, records }, log, bodyBytes);
http = server.server;
// What is done for the first time takes many times as long, since schemas are compiled and code is optimised.
guestDefinitionSchema.parse({ pages: 2, program: { kind: 'zipf', writesPerSecond: 1 }, name: 'warm-up' });
await metrics.scrape();
parentPort!.postMessage(await begun());
// The daemon is about to end. Whoever still waits for an answer, such as that its plan was given up, gets it.
parentPort!.once('message', () => {
  streams.end();
  server.server.close(() => parentPort!.postMessage('ended'));
});

async function begun(): Promise<ApiBegun> {
  try {
    await server.listen(listen);
    return { listensOn: (server.server.address() as { port: number }).port };
  } catch (cause) {
    return { why: reasonOf(cause) };
  }
}
