// Drives the WebSocket transport with the graphql-ws client and prints what it saw.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, scenario] = process.argv.slice(2);
const events = [];
let inits = 0;

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  lazy: true,
  retryAttempts: scenario === 'expiry' ? 3 : 0,
  retryWait: async () => {},
  connectionParams: () => ({ authorization: scenario === 'bad' ? 'Bearer nobody' : scenario === 'expiry' && inits++ === 0 ? 'Bearer short' : 'Bearer good' }),
  on: {
    connected: (_socket, payload) => events.push(['connected', payload ?? null]),
    closed: (e) => events.push(['closed', e.code, e.reason]),
  },
});

const run = (query, variables) => new Promise((resolve) => {
  const out = [];
  client.subscribe({ query, variables }, {
    next: (r) => out.push(r.errors ? { errors: r.errors.map((e) => e.extensions.code), data: r.data } : r.data),
    error: (e) => resolve({ out, error: Array.isArray(e) ? e.map((x) => x.extensions?.code) : { code: e.code, reason: e.reason } }),
    complete: () => resolve({ out, complete: true }),
  });
});

const results = {};
switch (scenario) {
  case 'all':
    results.count = await run('subscription($n:Int!){count(to:$n)}', { n: 5 });
    results.query = await run('{hello}');
    results.mutation = await run('mutation{add(n:2)}');
    results.invalid = await run('{nope}');
    results.refused = await run('subscription{refused}');
    results.broken = await run('subscription{broken}');
    results.field = await run('{fail(how:"plain")}');
    results.parallel = await Promise.all(Array.from({ length: 20 }, (_, i) => run('subscription($n:Int!){count(to:$n)}', { n: i })));
    break;
  case 'bad':
    results.refused = await run('{hello}');
    break;
  case 'expiry': { // the subscription outlives the first token
    const it = client.iterate({ query: 'subscription{count(to:1000000000)}' });
    let reconnected = 0;
    for await (const _ of it) {
      // The first connection may have ended before it was acknowledged.
      if (inits > 1 && events.at(-1)?.[0] === 'connected' && ++reconnected > 3) break;
    }
    results.resumed = reconnected > 3;
    break;
  }
  case 'slow':
    results.slow = await run('subscription{slow}');
    break;
}
await client.dispose();
console.log(JSON.stringify({ events, results }));
