import { formatDuration, formatRate, formatSize } from '../src/core/units.ts';
import { idle, migrateThreads } from './migration.ts';

/** How well the sender keeps to its rate: real pages over real TCP, about two seconds each. */
export async function pacing(): Promise<void> {
  console.log('pacing: rate used of the rate reserved, worst excess over all intervals');
  for (const [rate, pages, depthBytes] of [
    [6_250_000, 3_000, 65_536],
    [125_000_000, 60_000, 65_536],
    [125_000_000, 60_000, 1_250_000],
  ] as const) {
    const { rounds, link } = await migrateThreads(pages, idle, rate, { depthBytes });
    const round = rounds[0]!;
    const used = ((round.bytes - link.depthBytes) * 1e9) / round.durationNs / rate;
    console.log(
      `  ${formatRate(rate).padEnd(10)} bucket ${formatSize(depthBytes).padEnd(8)} ${(100 * used).toFixed(2)} %   excess ${link.worstExcessBytes} bytes   latest wake ${formatDuration(link.longestLatenessNs)}`,
    );
  }
}
