import { createClient, type Client } from 'graphql-ws';
import type { Session } from '../session/session';
import type { Connection } from './connection';
import { backoff, pause } from './backoff';

/** Close code of a token that has ended or was revoked. */
const FORBIDDEN = 4403;
const PING_EVERY = 15_000;
const PONG_WITHIN = 8_000;

export interface SocketOptions {
  session: Session;
  connection: Connection;
  /** BCP 47 tag for the texts in live items. */
  language: string;
}

export type Socket = Client;

/**
 * The one WebSocket of the page. It opens with the first subscription, asks for a
 * fresh token before each try, and seeks the server for ever with back-off. It gives
 * up its connection when the device loses its network, and tries at once when that is back.
 */
export function openSocket({ session, connection, language }: SocketOptions): Socket {
  let pong: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const client = createClient({
    url: () => socketAddress(session),
    connectionParams: () => ({
      authorization: `Bearer ${session.accessToken() ?? ''}`,
      acceptLanguage: language,
    }),
    lazyCloseTimeout: 3_000,
    keepAlive: PING_EVERY,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: () => pause(backoff(failures++)),
    on: {
      connecting: () => connection.connecting(),
      connected: () => {
        failures = 0;
        connection.connected();
      },
      ping: (received) => {
        if (received) return;
        clearTimeout(pong);
        pong = setTimeout(() => client.terminate(), PONG_WITHIN);
      },
      pong: () => clearTimeout(pong),
      closed: (event) => {
        clearTimeout(pong);
        const { code } = event as CloseEvent;
        if (code === FORBIDDEN) session.invalidate();
        if (code === 1000) connection.released();
        else connection.lost();
      },
    },
  });
  const listening = new AbortController();
  const { signal } = listening;
  const wentOffline = () => {
    connection.networkChanged();
    // Otherwise it is noticed only when a ping stays without answer.
    client.terminate();
  };
  const cameOnline = () => {
    // Tries without a network say nothing about the server. Those who wait are woken by the same event.
    failures = 0;
    connection.networkChanged();
  };
  addEventListener('offline', wentOffline, { signal });
  addEventListener('online', cameOnline, { signal });
  return {
    ...client,
    dispose: () => {
      listening.abort();
      return client.dispose();
    },
  };
}

/** Resolves once the token is fresh; it never rejects, because nobody would try again. */
async function socketAddress(session: Session): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      await session.ensureFresh();
      break;
    } catch {
      await pause(backoff(attempt));
    }
  }
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/graphql`;
}
