import type { FormattedExecutionResult } from 'graphql-ws';
import type { Socket } from './socket';
import { backoff, pause } from './backoff';

export interface Payload {
  query: string;
  variables?: Record<string, unknown>;
}

/**
 * Subscribes for as long as the answer is not called. The socket resumes it after a
 * loss of connection; when the server ends it, it is asked for again with back-off.
 */
export function subscribeForGood(
  socket: Socket,
  payload: Payload,
  next: (result: FormattedExecutionResult) => void,
): () => void {
  let stopped = false;
  let attempt = 0;
  let stop = () => {};
  const again = async () => {
    if (stopped) return;
    await pause(backoff(attempt++));
    if (!stopped) start();
  };
  const start = () => {
    stop = socket.subscribe(payload, {
      next: (result) => {
        attempt = 0;
        next(result as FormattedExecutionResult);
      },
      error: () => void again(),
      complete: () => void again(),
    });
  };
  start();
  return () => {
    stopped = true;
    stop();
  };
}
