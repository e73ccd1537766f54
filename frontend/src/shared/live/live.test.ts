import { expect, test, vi } from 'vitest';
import { backoff } from './backoff';
import { Ring } from './ring';
import { throttle } from './throttle';

const row = (values: Record<string, number>) => (name: string) => values[name];

test('a full ring lets go of the oldest', () => {
  const ring = new Ring(['a'], 3);
  for (let time = 1; time <= 5; time++) ring.put(time, row({ a: time * 10 }));
  expect(ring.slice(0, 10)).toEqual([
    [3, 4, 5],
    [30, 40, 50],
  ]);
  expect(ring.length).toBe(3);
});

test('late rows find their place, repeated ones replace, too old ones are dropped', () => {
  const ring = new Ring(['a'], 3);
  for (const [time, a] of [
    [5, 50],
    [3, 30],
    [4, 40],
    [4, 44],
    [1, 10],
    [6, 60],
  ] as const) {
    ring.put(time, row({ a }));
  }
  expect(ring.slice(0, 10)).toEqual([
    [4, 5, 6],
    [44, 50, 60],
  ]);
});

test('silence and values that were not measured are holes', () => {
  const ring = new Ring(['a', 'b'], 8);
  ring.put(1, row({ a: 1, b: 2 }));
  ring.put(2, row({ a: 3 }));
  ring.put(9, row({ a: 5, b: 6 }));
  expect(ring.slice(0, 3, ['b', 'a'])).toEqual([
    [1, 2, 5.5, 9],
    [2, null, null, 6],
    [1, 3, null, 5],
  ]);
  expect(ring.slice(2, 100, ['a'])[0]).toEqual([2, 9]);
});

test('a million rows need no more memory than a full ring', () => {
  const ring = new Ring(['a'], 100);
  for (let time = 0; time < 1_000_000; time++) ring.put(time, row({ a: time }));
  expect(ring.length).toBe(100);
  expect(ring.newest).toBe(999_999);
});

test('waits grow, are spread, and have an end', () => {
  expect(backoff(0, () => 1)).toBe(500);
  expect(backoff(3, () => 1)).toBe(4000);
  expect(backoff(50, () => 1)).toBe(30_000);
  expect(backoff(3, () => 0)).toBe(1000);
});

test('a throttle runs at once, then seldom, and never forgets the last', () => {
  vi.useFakeTimers();
  const run = vi.fn();
  const calm = throttle(run, 100);
  calm();
  calm();
  calm();
  expect(run).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(100);
  expect(run).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1000);
  expect(run).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
