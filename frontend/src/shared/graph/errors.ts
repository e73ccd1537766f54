import type { CombinedError } from '@urql/core';

export type ErrorKind = 'network' | 'forbidden' | 'notFound' | 'rateLimited' | 'server';

/** What a page can say about a request that failed. */
export function kindOf(error: CombinedError): ErrorKind {
  if (error.networkError) return 'network';
  const code = error.graphQLErrors[0]?.extensions.code;
  if (code === 'FORBIDDEN') return 'forbidden';
  if (code === 'NOT_FOUND') return 'notFound';
  if (code === 'RATE_LIMITED' || code === 'COMPLEXITY_LIMIT') return 'rateLimited';
  return 'server';
}

/** The number by which the server's log knows the failed request. */
export function requestIdOf(error: CombinedError): string | null {
  const id = error.graphQLErrors[0]?.extensions.requestId;
  return typeof id === 'string' ? id : null;
}
