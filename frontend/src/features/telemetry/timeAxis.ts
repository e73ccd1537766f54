import type uPlot from 'uplot';

const SECOND = 1;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

/** Steps in seconds that labels of time may have, the smallest first. */
export const steps = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 20, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 7, 10, 14].map((n) => n * DAY),
];

/** Width in px that a label of hour and minute needs, and one that tells seconds also. */
const SHORT = 48;
const LONG = 64;

/**
 * The least distance of two labels in px. Where labels of minutes would stand two widths
 * apart, steps of seconds come next, and their labels are longer.
 */
export function labelSpace(from: number, to: number, width: number): number {
  const minute = (width / (to - from)) * MINUTE;
  return minute >= 2 * SHORT ? LONG : SHORT;
}

/**
 * An axis of times that has several labels on a phone, too: of the clock, whose hours run
 * from 0 to 23, or of days where the labels are as far apart.
 */
export function timeAxis(): uPlot.Axis {
  const hour = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const minutes = new Intl.DateTimeFormat('en', hour);
  const toSecond = new Intl.DateTimeFormat('en', { ...hour, second: '2-digit' });
  const days = new Intl.DateTimeFormat('en', { day: '2-digit', month: '2-digit' });
  return {
    size: 28,
    incrs: steps,
    space: (_, __, from, to, width) => labelSpace(from, to, width),
    values: (_, ticks, __, ___, step) => {
      const format = step < MINUTE ? toSecond : step < DAY ? minutes : days;
      return ticks.map((tick) => format.format(tick * 1000));
    },
  };
}
