/** A request that got no answer from the graph: no network, or something else than JSON. */
export class Unreachable extends Error {}

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/**
 * Sends one document past the cache and the authentication of the graph client.
 * Only the session needs it: its operations must not wait for themselves.
 */
export async function post<T>(
  query: string,
  variables: Record<string, unknown>,
  headers: Record<string, string>,
): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
  } catch (cause) {
    throw new Unreachable('no network', { cause });
  }
  try {
    return (await response.json()) as Answer<T>;
  } catch (cause) {
    throw new Unreachable(`status ${response.status}`, { cause });
  }
}
