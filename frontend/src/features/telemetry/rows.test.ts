import { expect, test } from 'vitest';
import { rowsOf } from './rows';
import { spans, stepOf } from './spans';

test('series of several parameters become rows by time', () => {
  const rows = rowsOf([
    {
      sensorId: 'a',
      parameter: 'flow',
      times: ['2026-03-01T10:00:00Z', '2026-03-01T10:05:00Z'],
      average: [1, 2],
    },
    { sensorId: 'a', parameter: 'speed', times: ['2026-03-01T10:05:00Z'], average: [900] },
    { sensorId: 'b', parameter: 'flow', times: ['2026-03-01T10:00:00Z'], average: [7] },
  ]);
  expect(rows).toEqual([
    { sensorId: 'a', timestamp: '2026-03-01T10:00:00Z', values: [{ parameter: 'flow', value: 1 }] },
    { sensorId: 'b', timestamp: '2026-03-01T10:00:00Z', values: [{ parameter: 'flow', value: 7 }] },
    {
      sensorId: 'a',
      timestamp: '2026-03-01T10:05:00Z',
      values: [
        { parameter: 'flow', value: 2 },
        { parameter: 'speed', value: 900 },
      ],
    },
  ]);
});

test('long spans have the steps that the server chooses', () => {
  expect(spans.map(stepOf)).toEqual([0, 0, 0, 300, 3600, 3600]);
});
