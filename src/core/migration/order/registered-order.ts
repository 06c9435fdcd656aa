import { ofUsersCode, RegisteredCodeFailed } from '../../registry.ts';
import type { PageSet } from '../pages.ts';
import type { OrderDefinition, PageOrder } from './page-order.ts';

/** The order of a definition that is not ours. @throws RegisteredCodeFailed it throws, or returns no permutation of the dirty set */
export function guarded({ name, order }: OrderDefinition): PageOrder {
  const what = `page order '${name}'`;
  return (dirty, context) => {
    const pages = ofUsersCode(what, () => order(dirty.copy(), context));
    const wrong = wrongWith(pages, dirty);
    if (wrong === undefined) return pages;
    throw new RegisteredCodeFailed(
      `${what} must return a Uint32Array with each of the ${dirty.count()} dirty pages once: ${wrong}`,
    );
  };
}

function wrongWith(pages: unknown, dirty: PageSet): string | undefined {
  if (!(pages instanceof Uint32Array)) return `it returned ${typeof pages}`;
  const left = dirty.copy();
  for (const page of pages) {
    if (page >= dirty.pages || !dirty.has(page)) return `page ${page} is not dirty`;
    if (!left.has(page)) return `page ${page} is there twice`;
    left.delete(page);
  }
  const [missing] = left.toArray();
  return missing === undefined ? undefined : `page ${missing} is missing`;
}
