import { expect, test } from 'vitest';
import { spans } from './spans';
import { labelSpace, steps } from './timeAxis';

/** The step that the chart takes: the smallest whose labels keep their distance. */
const stepOf = (seconds: number, width: number) =>
  steps.find((step) => (step * width) / seconds >= labelSpace(0, seconds, width))!;

test.each(spans)('%i s have at least two labels of time on the smallest screen', (seconds) => {
  for (let width = 220; width <= 1200; width += 10) {
    expect(Math.floor(seconds / stepOf(seconds, width)), `labels on ${width} px`).toBeGreaterThanOrEqual(2);
  }
});

test('labels with seconds, which are longer, stand further apart', () => {
  for (let width = 220; width <= 1200; width += 10) {
    for (const seconds of [10, 60, 120, 300, 900]) {
      const step = stepOf(seconds, width);
      if (step < 60) expect((step * width) / seconds).toBeGreaterThanOrEqual(64);
    }
  }
});
