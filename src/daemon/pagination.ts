import { z } from 'zod';
import { shown, UsageError } from '../platform/problem.ts';

const MOST = 200;
const limit = `a whole number from 1 to ${MOST}`;

/** Which part of a list is asked for. */
export const pageQuery = z
  .strictObject({
    limit: z.coerce
      .number(limit)
      .int(limit)
      .min(1, limit)
      .max(MOST, limit)
      .optional()
      .describe('So many at most. Without it: all.'),
    after: z
      .guid('the id of one that is listed')
      .optional()
      .describe('Those that come after this one; the header `link` says how to ask for the next.'),
  })
  .prefault({});

type PageQuery = z.output<typeof pageQuery>;

/**
 * @returns the part, and the query of the next one if there is more
 * @throws UsageError `after` is not in the list, or not any more
 */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  { limit = items.length, after }: PageQuery,
): { readonly page: readonly Item[]; readonly next: string | undefined } {
  const index = after === undefined ? -1 : items.findIndex(({ id }) => id === after);
  if (after !== undefined && index < 0) {
    const expected = 'the id of one that is listed; begin anew without it';
    throw new UsageError([{ path: 'query.after', expected, found: shown(after) }]);
  }
  const page = items.slice(index + 1, index + 1 + limit);
  const isMore = index + 1 + page.length < items.length;
  return { page, next: isMore ? `limit=${limit}&after=${page.at(-1)!.id}` : undefined };
}
