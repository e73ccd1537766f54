// A screen that is left on: what comes in must also go out.
import { live } from './people.mjs';
import { expect, until } from './until.mjs';

export const scenarios = { 'memory and nodes stay bounded while readings come': bounded };

const READINGS = 20;
const MB = 1024 * 1024;

async function bounded({ person, figure }) {
  const operator = await person();
  let readings = 0;
  operator.page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      if (String(payload).includes('vibration_rms')) readings += 1;
    }),
  );
  const page = await operator.signIn('operator');
  await operator.openAsset('pump-a03');
  await live(page);
  const devtools = await operator.context.newCDPSession(page);
  await devtools.send('Performance.enable');

  const come = (n) => until(`${n} readings`, () => readings >= n, (n + 60) * 1000);
  const measure = async () => {
    // Twice: what finalisers let go of is collected by the second.
    for (let i = 0; i < 2; i++) await devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
    return { heap: usedSize / MB, nodes, listeners: jsEventListeners };
  };
  await come(5);
  const before = await measure();
  const from = readings;
  await come(from + READINGS);
  const after = await measure();
  figure(
    `asset detail over ${readings - from} readings: heap ${before.heap.toFixed(1)} -> ${after.heap.toFixed(1)} MB, ` +
      `nodes ${before.nodes} -> ${after.nodes}, listeners ${before.listeners} -> ${after.listeners}`,
  );
  // The heap breathes by about 1 MB between two collections without growing over minutes.
  expect(after.heap - before.heap < 2.5, `the heap grew from ${before.heap} to ${after.heap} MB`);
  expect(after.nodes - before.nodes < 100, `nodes grew from ${before.nodes} to ${after.nodes}`);
  expect(after.listeners - before.listeners < 50, `listeners grew from ${before.listeners} to ${after.listeners}`);
}
