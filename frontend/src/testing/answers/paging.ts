/** The arguments of a connection, as far as the application pages forward. */
export interface PageArgs {
  first?: number;
  after?: string | null;
}

/** A page of a list as the schema has it; a cursor is a place in the list. */
export function page<T>(items: T[], { first = 100, after }: PageArgs = {}) {
  const start = after ? Number(after) : 0;
  const nodes = items.slice(start, start + first);
  return {
    nodes,
    edges: nodes.map((node, i) => ({ node, cursor: String(start + i + 1) })),
    totalCount: items.length,
    pageInfo: {
      hasNextPage: start + first < items.length,
      hasPreviousPage: start > 0,
      startCursor: nodes.length > 0 ? String(start + 1) : null,
      endCursor: nodes.length > 0 ? String(start + nodes.length) : null,
    },
  };
}
