import { http, HttpResponse, ws } from 'msw';
import { setupServer } from 'msw/node';
import type { World } from './world';

/** The network of the tests; each test puts its own world behind it. */
export const server = setupServer();

const socket = ws.link('ws://localhost/graphql');

interface Message {
  id: string;
  type: string;
  payload?: { authorization?: string; query: string; variables?: Record<string, unknown> };
}

/** Puts the world behind `/graphql`, over HTTP and over the WebSocket protocol of the server. */
export function serve(world: World): void {
  server.use(
    http.post('*/graphql', async ({ request }) => {
      const { query, variables } = (await request.json()) as {
        query: string;
        variables?: Record<string, unknown>;
      };
      return HttpResponse.json(await world.answer(query, variables ?? {}, request.headers));
    }),
    socket.addEventListener('connection', ({ client }) => {
      const running = new Map<string, AsyncIterableIterator<unknown>>();
      const send = (message: object) => client.send(JSON.stringify(message));
      client.addEventListener('message', (event) => {
        const message = JSON.parse(event.data as string) as Message;
        if (message.type === 'connection_init') {
          if (world.accepts(message.payload?.authorization ?? null)) send({ type: 'connection_ack' });
          else client.close(4403, 'Forbidden');
        }
        if (message.type === 'ping') send({ type: 'pong' });
        if (message.type === 'complete') void running.get(message.id)?.return?.();
        if (message.type === 'subscribe') void follow(message);
      });
      client.addEventListener('close', () => {
        for (const items of running.values()) void items.return?.();
      });
      async function follow({ id, payload }: Message): Promise<void> {
        const items = await world.subscribe(payload!.query, payload!.variables ?? {});
        if (!(Symbol.asyncIterator in items)) {
          send({ id, type: 'error', payload: items.errors });
          return;
        }
        running.set(id, items as AsyncIterableIterator<unknown>);
        for await (const item of items) send({ id, type: 'next', payload: item });
      }
    }),
  );
}
