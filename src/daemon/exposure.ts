import { Refusal } from '../platform/failure.ts';
import { isLoopback } from '../transport/loopback.ts';
import type { Configuration } from './configuration.ts';

/** At the start and at every reload. @throws Refusal anybody could change something */
export function insistOnApiKey({ apiKey }: Pick<Configuration, 'apiKey'>, { host }: { host: string }): void {
  if (apiKey !== undefined || isLoopback(host)) return;
  throw new Refusal(`listening on ${host} needs a key: give one with api.keyFile, or listen on 127.0.0.1`);
}
