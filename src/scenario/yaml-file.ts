import { parseDocument } from 'yaml';
import { reasonOf } from '../platform/failure.ts';
import { UsageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';

/**
 * What a YAML file says.
 * @throws Failure it cannot be read
 * @throws UsageError it is not YAML
 */
export function readYaml(file: string): unknown {
  return parseYaml(readText(file), file);
}

/** @throws UsageError it is not YAML */
export function parseYaml(text: string, file: string): unknown {
  const document = parseDocument(text);
  const problems = document.errors.map((error) => ({
    path: `${file}:${error.linePos?.[0].line ?? 1}`,
    expected: 'YAML',
    found: reasonOf(error),
  }));
  if (problems.length > 0) throw new UsageError(problems);
  try {
    return document.toJS();
  } catch (cause) {
    // An alias without its anchor is only noticed here.
    throw new UsageError([{ path: file, expected: 'YAML', found: reasonOf(cause) }]);
  }
}
