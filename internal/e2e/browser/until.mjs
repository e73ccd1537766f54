import { setTimeout as pause } from 'node:timers/promises';

/** Polls the condition until it answers something true, which it returns; rejects after the time with what was waited for. */
export async function until(what, condition, within = 60_000) {
  const deadline = Date.now() + within;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${within / 1000} s: ${what}`);
    await pause(50);
  }
}

/** Fails with what was wanted when the condition does not hold. */
export function expect(condition, wanted) {
  if (!condition) throw new Error(wanted);
}

export function expectEqual(got, want, what) {
  if (got !== want) throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}
