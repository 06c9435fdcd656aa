import { ask } from './api.js';

/** The daemon says every five seconds that it is there: when it has said nothing for so long, it is lost. */
const SILENT_MS = 12_000;
const KINDS = ['guests', 'links', 'degraded', 'migration', 'experiment', 'watched', 'unwatched', 'pulse'];

/**
 * What the daemon knows, kept up to date: everything once, and then what changes. When the connection is lost, the
 * browser tries again by itself, and is told what happened meanwhile, or else everything is asked for anew.
 * @param lost told since when nothing was heard; with null that the daemon is there again
 */
export function connect({ loaded, happened, lost }) {
  const source = new EventSource('api/events');
  let isLoaded = false;
  let early = [];
  let heardAt = new Date();
  let isLost = false;
  let isOver = false;

  const hear = () => {
    heardAt = new Date();
    if (isLost && isLoaded) lost(null);
    if (isLoaded) isLost = false;
  };
  const lose = () => {
    if (!isLost) lost(heardAt);
    isLost = true;
  };
  const load = async () => {
    isLoaded = false;
    early = [];
    try {
      loaded(await ask('GET', 'api/state'));
      isLoaded = true;
      hear();
      lost(null);
    } catch {
      lose();
      setTimeout(() => !isOver && load(), 1000);
    } finally {
      if (isLoaded) for (const event of early) happened(...event);
    }
  };

  source.onopen = () => (isLoaded ? hear() : load());
  source.onerror = () => {
    lose();
    // A daemon that is starting may answer with an error, after which a browser does not try again.
    if (source.readyState !== EventSource.CLOSED) return;
    isOver = true;
    source.close();
    clearInterval(watching);
    setTimeout(() => connect({ loaded, happened, lost }), 1000);
  };
  const watching = setInterval(() => {
    if (Date.now() - heardAt > SILENT_MS) lose();
  }, 1000);
  source.addEventListener('alive', hear);
  source.addEventListener('missed', load);
  for (const kind of KINDS) {
    source.addEventListener(kind, ({ data }) => {
      hear();
      const event = [kind, JSON.parse(data)];
      if (isLoaded) happened(...event);
      else early.push(event);
    });
  }
}
