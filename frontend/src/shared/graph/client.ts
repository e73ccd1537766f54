import { authExchange } from '@urql/exchange-auth';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import type { Connection } from '../live/connection';
import { openSocket, type Socket } from '../live/socket';
import { subscribeForGood } from '../live/subscribe';
import type { Session } from '../session/session';
import { createCache, type CachePart } from './cache';

export interface Graph {
  client: Client;
  socket: Socket;
  close: () => void;
}

export interface GraphOptions {
  session: Session;
  connection: Connection;
  /** BCP 47 tag: labels come in this language, so a change of it needs another graph. */
  language: string;
  cache: CachePart[];
}

/** The graph as one person sees it in one language: cache, requests and live socket. */
export function openGraph({ session, connection, language, cache }: GraphOptions): Graph {
  const socket = openSocket({ session, connection, language });
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetchOptions: () => ({ credentials: 'same-origin', headers: { 'accept-language': language } }),
    exchanges: [
      createCache(cache),
      // eslint-disable-next-line @typescript-eslint/require-await -- the exchange wants a promise
      authExchange(async (utils) => ({
        addAuthToOperation(operation) {
          const token = session.accessToken();
          return token ? utils.appendHeaders(operation, { authorization: `Bearer ${token}` }) : operation;
        },
        willAuthError: (operation) => operation.kind !== 'subscription' && session.isStale(),
        didAuthError: (error) => error.graphQLErrors.some((one) => one.extensions.code === 'UNAUTHENTICATED'),
        async refreshAuth() {
          // One that was refused is renewed even if it should still hold.
          session.invalidate();
          // Without an answer the operation goes out as it is and fails by itself.
          await session.ensureFresh().catch(() => undefined);
        },
      })),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: subscribeForGood(socket, { query: query ?? '', variables }, (result) =>
              sink.next(result),
            ),
          }),
        }),
      }),
    ],
  });
  // It rejects when the socket was still seeking the server: there is then nothing to close.
  const close = () => void Promise.resolve(socket.dispose()).catch(() => undefined);
  return { client, socket, close };
}
