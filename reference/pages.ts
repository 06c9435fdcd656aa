import { orderRegistry } from '../src/core/migration/order/orders.ts';
import { writtenName } from '../src/core/migration/stop/registered-stop.ts';
import { stopRuleRegistry } from '../src/core/migration/stop/stops.ts';
import { formatDuration } from '../src/core/units.ts';
import { type Entry, entriesOfFaces, type FaceEntries } from './entries.ts';
import { type Example, examplesOf } from './examples.ts';

const WRITTEN =
  'Written by `npm run build:reference` from docstrings and `reference/examples`; a test compares the two.';

/**
 * Every page of the reference, by its path from the root of the project.
 * @throws Error a value without an example, or an example of nothing
 */
export function referencePages(root: string): ReadonlyMap<string, string> {
  const all = entriesOfFaces(root);
  const pages = all.map((face): [string, string] => [
    `docs/reference/${face.face.page}.md`,
    pageOf(face, examplesOf(root, face.face)),
  ]);
  return new Map([['docs/reference/README.md', indexOf(all)], ...pages]);
}

function indexOf(all: readonly FaceEntries[]): string {
  const sections = all.map(({ face, text, entries }) => {
    const values = entries.filter(({ kind }) => kind !== 'type');
    const links = values.map(({ name }) => `[${name}](${face.page}.md#${anchorOf(name)})`);
    return `## [${face.name}](${face.page}.md)\n\n${text}\n\n${links.join(' · ')}`;
  });
  const start = [
    '# The library',
    '',
    WRITTEN,
    '',
    'Times are nanoseconds, sizes bytes, rates bytes per second, unless a name says otherwise. Three whole programs are in',
    '[examples](../../examples): an order of one’s own, a task set, a sweep.',
  ];
  return `${[start.join('\n'), ...sections, orderTable(), ruleTable()].join('\n\n')}\n`;
}

function orderTable(): string {
  const rows = orderRegistry.all.map(({ name, describe, heat, pagesMax }) => {
    const most = Number.isFinite(pagesMax ?? Number.NaN) ? String(pagesMax) : 'any';
    return `| \`${name}\` | ${describe} | ${heat} | ${most} |`;
  });
  return [
    '## Page orders',
    '',
    '| `migration.order` | what | heat | pages |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function ruleTable(): string {
  const rows = stopRuleRegistry.all.map(({ name, describe, defaults }) => {
    const parameters = Object.entries(defaults).map(([parameter, value]) => {
      const shown = parameter.endsWith('Ns') ? formatDuration(Number(value)).replace(' ', '') : value;
      return `\`${writtenName(parameter)}: ${shown}\``;
    });
    return `| \`${name}\` | ${describe} | ${parameters.join(', ')} |`;
  });
  const head = ['| `migration.stop.rule` | what | parameters with their defaults |', '| --- | --- | --- |'];
  return ['## Stop rules', '', ...head, ...rows].join('\n');
}

function pageOf({ face, text, entries }: FaceEntries, examples: readonly Example[]): string {
  const values = entries.filter(({ kind }) => kind !== 'type');
  const shown = examples.flatMap(({ names }) => names);
  const problems = [
    ...values.filter(({ name }) => !shown.includes(name)).map(({ name }) => `${name} has no example`),
    ...shown
      .filter((name) => !values.some((entry) => entry.name === name))
      .map((name) => `${name} is no export`),
  ];
  if (problems.length > 0) throw new Error(`${face.name}: ${problems.join(', ')}`);
  const types = entries.filter(({ kind }) => kind === 'type');
  return `${[
    `# ${face.name}`,
    `${text}\n\n${WRITTEN}`,
    ...values.map((entry) => valueSection(entry, examples)),
    ...(types.length > 0 ? ['## Types'] : []),
    ...types.map((entry) => typeSection(entry, values)),
  ].join('\n\n')}\n`;
}

function valueSection(entry: Entry, examples: readonly Example[]): string {
  const example = examples.find(({ names }) => names.includes(entry.name))!;
  const [first] = example.names;
  return [
    `## ${entry.name}`,
    typescript(entry.signature),
    ...described(entry),
    first === entry.name
      ? `\`\`\`js\n${example.code}\n\`\`\``
      : `Example: see [${first}](#${anchorOf(first!)}).`,
  ].join('\n\n');
}

function typeSection(entry: Entry, values: readonly Entry[]): string {
  const named = new RegExp(`\\b${entry.name}\\b`);
  const users = values.filter(({ signature }) => named.test(signature));
  const links = users.map(({ name }) => `[${name}](#${anchorOf(name)})`).join(', ');
  return [
    `### ${entry.name}`,
    ...described(entry),
    typescript(entry.signature),
    ...(users.length > 0 ? [`With: ${links}.`] : []),
  ].join('\n\n');
}

function described({ text, tags }: Entry): string[] {
  const list = tags.map(({ tag, text }) => {
    const line = text.replaceAll('\n', ' ');
    if (tag === 'throws') return `- *throws* ${line.replace(/^\w+/, '`$&`').replace('` ', '`: ')}`;
    return `- *${tag === 'param' ? 'parameter' : tag}* ${line}`;
  });
  return [...(text === '' ? [] : [markdown(text)]), ...(list.length > 0 ? [list.join('\n')] : [])];
}

/** A docstring sets its formulas off by indenting them. */
function markdown(text: string): string {
  return text
    .split('\n\n')
    .map((part) => (/^ {2,}/.test(part) ? `\`\`\`text\n${part.replace(/^ {2}/gm, '')}\n\`\`\`` : part))
    .join('\n\n');
}

function typescript(code: string): string {
  return `\`\`\`ts\n${code}\n\`\`\``;
}

function anchorOf(name: string): string {
  return name.toLowerCase();
}
