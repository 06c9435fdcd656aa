import { inputLimits } from '../../core/input-limits.ts';
import { type JsonObject, jsonObjects } from './json-objects.ts';

/**
 * Where collectors that write a record in JSON keep what was logged: `MESSAGE` journald (systemd.journal-fields(7); `journalctl
 * -o json` and json-pretty), `log` Docker's json-file, `msg` what runs in Kubernetes, KubeVirt among it.
 */
const KEYS = ['MESSAGE', 'log', 'msg'] as const;
const RECORD = /^\{.{0,4000}"(?:MESSAGE|log|msg)"\s{0,9}:\s{0,9}["[n]/m;
const SPREAD_RECORD = /^\{\s{0,9}\n[^{}]{0,4000}"MESSAGE" :/;

/** What was logged, without its records; undefined: it is in none. Lines that are no record are left. */
export function messagesIn(text: string): string | undefined {
  if (SPREAD_RECORD.test(text))
    return jsonObjects(text)
      .objects.map((record) => messageOf(record) ?? '')
      .join('');
  if (!RECORD.test(text)) return undefined;
  let isCollected = false;
  const messages = text.split('\n', inputLimits.importedLines).map((line) => {
    const message = RECORD.test(line) ? messageOf(jsonObjects(line).objects[0] ?? {}) : undefined;
    isCollected ||= message !== undefined;
    return message ?? `${line}\n`;
  });
  return isCollected ? messages.join('') : undefined;
}

/** With its line end, which Docker keeps: it cuts what is longer than 16 KiB, and only the last part has one. */
function messageOf(record: JsonObject): string | undefined {
  const key = KEYS.find((name) => name in record);
  if (key === undefined) return undefined;
  const message = textOf(record[key]);
  return message === undefined || key === 'log' ? message : `${message}\n`;
}

/** Journald writes bytes as a list of numbers where they are not all printable, and nothing where they are too many. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  const isBytes =
    Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
  return isBytes ? Buffer.from(value).toString('utf8') : undefined;
}
