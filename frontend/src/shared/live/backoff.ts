const FIRST = 500;
const LAST = 30_000;

/** How long to wait before the given try (0 is the first), in ms: doubled each time, full jitter. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LAST, FIRST * 2 ** Math.min(attempt, 16));
  return ceiling / 4 + random() * ceiling * 0.75;
}

/** Waits, but no longer than until the device has a network again. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      globalThis.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener('online', done);
  });
}
