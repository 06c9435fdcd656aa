/** A libvirt domain's monitor is named by its domain, where others are named by their socket. */
const PREFIX = 'libvirt:';

/** @param name of a domain, or its number or UUID */
export function addressOfDomain(name: string): string {
  return `${PREFIX}${name}`;
}

/** Undefined: it is the address of a socket. */
export function domainOf(address: string): string | undefined {
  return address.startsWith(PREFIX) ? address.slice(PREFIX.length) : undefined;
}
