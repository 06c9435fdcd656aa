import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LineFile } from '../src/platform/line-file.ts';

/** A row of measurements, and what it was measured of. */
interface Kept<Row> {
  readonly of: string;
  readonly row: Row;
}

/** Rows that take long to measure, a line of a file each: what was measured before an interruption need not be again. */
export class KeptRows<Row> {
  readonly #file: string;
  readonly #program: string;
  readonly #rows = new Map<string, Row>();
  #wholeBytes: number;

  /** @param folder of the compiled program whose work is measured: of another one all is measured anew */
  constructor(file: string, folder: string) {
    this.#file = file;
    this.#program = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#wholeBytes = Buffer.byteLength(whole);
    for (const line of whole.split('\n').filter((one) => one !== '')) {
      const { of, row }: Kept<Row> = JSON.parse(line);
      this.#rows.set(of, row);
    }
  }

  /** The row that was kept of this, or a new one. @param subject all that it depends on beside the program */
  async of(subject: unknown, measure: () => Promise<Row>): Promise<Row> {
    const of = createHash('sha256').update(this.#program).update(JSON.stringify(subject)).digest('hex');
    const kept = this.#rows.get(of);
    if (kept !== undefined) return kept;
    const row = await measure();
    this.#rows.set(of, row);
    mkdirSync(dirname(this.#file), { recursive: true });
    const lines = new LineFile(this.#file, { wholeBytes: this.#wholeBytes });
    const line = `${JSON.stringify({ of, row } satisfies Kept<Row>)}\n`;
    lines.append(line);
    lines.close();
    this.#wholeBytes += Buffer.byteLength(line);
    return row;
  }
}
