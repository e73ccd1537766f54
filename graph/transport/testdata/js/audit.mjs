// Runs the audits of graphql-http against the address and prints their outcome.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2], fetchFn: fetch });
console.log(JSON.stringify(await Promise.all(results.map(async (r) => {
  const outcome = { id: r.id, name: r.name, status: r.status };
  if (r.status !== 'ok') {
    outcome.reason = r.reason;
    outcome.got = r.response && { status: r.response.status, type: r.response.headers.get('content-type'), body: await r.response.text() };
  }
  return outcome;
}))));
