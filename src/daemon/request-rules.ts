import { isIP } from 'node:net';

/** What a request must be before anybody looks at what it asks for. Browsers send requests for pages of strangers. */

/**
 * Why a request was not meant for this daemon. Whoever can make a browser believe that a name of theirs is this host
 * must not be answered under that name, also where it only reads (DNS rebinding). No name can be made to look like an
 * address.
 * @param host the header
 * @param names by which this daemon may be called besides addresses and localhost
 */
export function misdirected(host: string | undefined, names: readonly string[]): string | undefined {
  const name = nameIn(host ?? '');
  if (isIP(name) !== 0 || [LOCALHOST, ...names].some((own) => nameIn(own) === name)) return undefined;
  return `this daemon is not called '${name.slice(0, 200)}': expected an address, ${LOCALHOST}, or a name in api.hosts`;
}

interface OriginHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | string[] | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

/** Whether a browser says that it sends a request for a page that is not of this daemon. */
export function isCrossSite({ host, origin, 'sec-fetch-site': site }: OriginHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return !URL.canParse(String(origin)) || new URL(String(origin)).host !== host?.toLowerCase();
}

/**
 * Whether it is called JSON. A browser sends that for a page of another site only if this daemon has allowed it first,
 * which it never does; the three types of forms it sends unasked (Fetch, CORS-safelisted request-header).
 */
export function isJson(contentType = ''): boolean {
  return /^\s*application\/json\s*(;|$)/i.test(contentType);
}

const LOCALHOST = 'localhost';

/** Without the port, brackets and the dot of the root, in lower case. */
function nameIn(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*?)\.?)(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? host.toLowerCase();
}
