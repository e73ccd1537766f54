// Subscribes with the graphql-ws client and prints every result as a line of JSON,
// after a line "connected". Ends when the input ends.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token, query, variables] = process.argv.slice(2);
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
  on: { connected: () => console.log('"connected"') },
});
client.subscribe({ query, variables: JSON.parse(variables) }, {
  next: (result) => console.log(JSON.stringify(result)),
  error: (error) => { console.log(JSON.stringify({ error: Array.isArray(error) ? error : String(error.reason ?? error) })); process.exit(1); },
  complete: () => console.log('"complete"'),
});
process.stdin.resume();
process.stdin.on('end', () => client.dispose());
