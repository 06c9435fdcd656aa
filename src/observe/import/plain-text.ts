import { stripVTControlCharacters } from 'node:util';
import { messagesIn } from './collected-messages.ts';

const BYTE_ORDER_MARK = /^\ufeff/;
const LINE_END = /\r+\n|\r/g;

/**
 * What those who collect logs put before each line. A time that stands alone before a message is left: some logs have
 * no other.
 */
const COLLECTORS: readonly RegExp[] = [
  // journalctl -o short and syslog (RFC 3164): `Jan 02 03:04:05 host virsh[4711]: `; moreutils' ts: the time alone
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? (?:[\w.-]{1,64} [\w./@-]{1,64}\[\d{1,10}\]: ?)?/gm,
  // journalctl -o short-iso, short-iso-precise
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?[+-]\d\d:?\d\d [\w.-]{1,64} [\w./@-]{1,64}\[\d{1,10}\]: ?/gm,
  // journalctl -o json-sse
  /^data: (?=\{)/gm,
  // kubectl logs --prefix, and stern
  /^\[pod\/[\w./-]{1,300}\] ?/gm,
  // docker compose logs: `source-1  | `
  /^[\w.-]{1,64} {0,20}\| /gm,
  // kubectl logs --timestamps, docker logs --timestamps (RFC 3339 with nanoseconds), containerd's files
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?/gm,
];

/** A container's log may be kept in JSON, whose lines are records in JSON themselves. */
const MOST_WRAPPED = 2;

/** A log without what a terminal (its colours), another system or a collector of logs has added to it. */
export function plainText(text: string): string {
  let plain = withoutPrefixes(
    stripVTControlCharacters(text.replace(BYTE_ORDER_MARK, '').replace(LINE_END, '\n')),
  );
  for (let unwrapped = 0; unwrapped < MOST_WRAPPED; unwrapped++) {
    const messages = messagesIn(plain);
    if (messages === undefined) return plain;
    plain = withoutPrefixes(stripVTControlCharacters(messages.replace(LINE_END, '\n')));
  }
  return plain;
}

function withoutPrefixes(text: string): string {
  return COLLECTORS.reduce((plain, prefix) => plain.replace(prefix, ''), text);
}
