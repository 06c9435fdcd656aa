import { escaped } from '../tables/markup.ts';
import { leftOutNotes, type Report } from './findings-report.ts';

/** One page without scripts, whose policy forbids any access to the network. */
export function htmlOf(report: Report): string {
  const { title, question, figures, charts, conclusions, command, commands, setUp, machine } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escaped(title)}</h1>
${question === '' ? '' : `<p class="question">${escaped(question)}</p>`}
<p class="quiet">${report.records} migrations, ${report.rows.length + report.rowsLeftOut} ${report.rows.length + report.rowsLeftOut === 1 ? 'cell' : 'cells'}, ${escaped(report.worlds.join(' and '))}</p>
</header>
<section>
<h2>What can be concluded</h2>
${list(conclusions.can, 'Nothing beyond the table: fewer than two cells have an interval.')}
<h3>What cannot</h3>
${list(conclusions.cannot, 'The runs are enough for the intervals shown.')}
</section>
<div class="figures">
${figures
  .map(
    ({ title: heading, caption, svg }) => `<figure>
<h2>${escaped(heading)}</h2>
<div class="plot-frame">${svg}</div>
<figcaption>${escaped(caption)}</figcaption>
</figure>`,
  )
  .join('\n')}
${charts
  .map(
    ({ name, svg }) => `<figure>
<h2>Threads on the processors</h2>
<div class="plot-frame"><img alt="${escaped(name)}" src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}"></div>
<figcaption>${escaped(name)}, written by the run.</figcaption>
</figure>`,
  )
  .join('\n')}
</div>
<section class="cells">
<h2>All cells</h2>
<div class="table-frame"><table>
<thead><tr>${report.headings.map((heading) => `<th>${escaped(heading)}</th>`).join('')}</tr></thead>
<tbody>
${report.rows.map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`).join('\n')}
</tbody>
</table></div>
<p class="quiet">Medians [95 % interval of the median]; * fewer than six runs: [minimum–maximum]. gap: the longest time without a heartbeat. late: heartbeats that were more than a period late. missed: missed periods of CPU reservations.${leftOutNotes(
    report,
  )
    .map((note) => ` ${note}`)
    .join('')}</p>
</section>
${setUp === '' ? '' : `<details><summary>Set-up</summary><pre>${escaped(setUp)}</pre></details>`}
${
  machine.length === 0
    ? ''
    : `<details><summary>Machine</summary>${report.machineIsWhereReported ? '<p class="quiet">The machine on which this report was made; the records do not name theirs.</p>' : ''}<dl>${machine.map(({ what, found }) => `<dt>${escaped(what)}</dt><dd>${escaped(found)}</dd>`).join('')}</dl></details>`
}
${command === undefined ? '' : `<section><h2>How to repeat it</h2><pre>${escaped(command)}</pre></section>`}
${
  commands.length === 0
    ? ''
    : `<details><summary>How to repeat one cell</summary><dl>${commands.map(({ cell, command }) => `<dt>cell ${cell}</dt><dd><code>${escaped(command)}</code></dd>`).join('')}</dl></details>`
}
</main>
</body>
</html>
`;
}

function list(items: readonly string[], otherwise: string): string {
  if (items.length === 0) return `<p>${escaped(otherwise)}</p>`;
  return `<ul>${items.map((item) => `<li>${escaped(item)}</li>`).join('')}</ul>`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1f2937; --quiet: #5b6675; --paper: #fbfbfa; --sheet: #ffffff; --line: #dfe3e8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --quiet: #9aa5b4; --paper: #12161c; --sheet: #1a2028; --line: #303945; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1760px; margin: 0 auto; padding: 32px 20px 64px; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 600px), 1fr)); gap: 0 20px; }
.figures figure { margin: 20px 0 0; min-width: 0; }
section > ul, section > p { max-width: 110ch; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 1.12rem; margin: 0 0 8px; }
h3 { font-size: 1rem; margin: 16px 0 4px; }
.question { font-size: 1.1rem; margin: 0 0 4px; }
.quiet, figcaption { color: var(--quiet); font-size: 0.88rem; }
section, figure, details { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 20px 0 0; }
ul { margin: 0; padding-left: 20px; }
li { margin: 4px 0; }
.plot-frame, .table-frame { overflow-x: auto; }
.plot-frame svg { min-width: 600px; width: 100%; height: auto; color: var(--ink); }
.plot-frame img { min-width: 600px; width: 100%; }
table { border-collapse: collapse; font-size: 0.84rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; max-width: 26ch; overflow: hidden; text-overflow: ellipsis; }
th { font-weight: 600; color: var(--quiet); }
pre { overflow-x: auto; font-size: 0.82rem; line-height: 1.45; margin: 8px 0 0; white-space: pre-wrap; }
summary { cursor: pointer; font-weight: 600; }
dl { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: 4px 16px; font-size: 0.88rem; margin: 12px 0 0; }
dt { color: var(--quiet); } dd { margin: 0; }
@page { size: A4; margin: 14mm; }
@media print {
  :root { color-scheme: light; --ink: #000000; --quiet: #444444; --paper: #ffffff; --sheet: #ffffff; --line: #bbbbbb; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .figures { display: block; }
  section, figure, details { border: 0; border-radius: 0; padding: 0; margin: 6mm 0 0; }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .plot-frame svg, .plot-frame img { min-width: 0; }
  .plot-frame, .table-frame { overflow: visible; }
  table { font-size: 6.5pt; }
  th, td { white-space: normal; max-width: none; overflow-wrap: break-word; padding: 3px 4px 3px 0; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
}
`;
