// Drives the event-stream transport with the graphql-sse client and prints what it saw.
import { createClient } from 'graphql-sse';

const [url, scenario] = process.argv.slice(2);
let connections = 0;
const client = createClient({
  url,
  retryAttempts: scenario === 'expiry' ? 3 : 0,
  retry: async () => {},
  headers: () => ({ authorization: scenario === 'expiry' && connections === 0 ? 'Bearer short' : 'Bearer good' }),
  on: { connecting: () => {}, connected: () => { connections++; } },
});

const run = (query, variables) => new Promise((resolve) => {
  const out = [];
  client.subscribe({ query, variables }, {
    next: (r) => out.push(r.errors ? { errors: r.errors.map((e) => e.extensions.code) } : r.data),
    error: (e) => resolve({ out, error: String(e.message) }),
    complete: () => resolve({ out, complete: true }),
  });
});

const results = {};
if (scenario === 'expiry') {
  for await (const _ of client.iterate({ query: 'subscription{count(to:1000000000)}' })) {
    if (connections > 1) break;
  }
  results.connections = connections;
} else {
  results.count = await run('subscription($n:Int!){count(to:$n)}', { n: 4 });
  results.query = await run('{hello}');
  results.mutation = await run('mutation{add(n:2)}');
  results.invalid = await run('{nope}');
  results.refused = await run('subscription{refused}');
  results.broken = await run('subscription{broken}');
}
client.dispose();
console.log(JSON.stringify({ results }));
