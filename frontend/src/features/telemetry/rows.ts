import type { ReadingData, SeriesData } from './documents';

/** Rows of all parameters of each sensor, by time, from series of one parameter each. */
export function rowsOf(series: SeriesData): ReadingData[] {
  const rows = new Map<string, ReadingData>();
  for (const { sensorId, parameter, times, average } of series) {
    times.forEach((timestamp, i) => {
      const key = `${sensorId} ${timestamp}`;
      let row = rows.get(key);
      if (!row) {
        row = { sensorId, timestamp, values: [] };
        rows.set(key, row);
      }
      row.values.push({ parameter, value: average[i]! });
    });
  }
  return [...rows.values()].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
}
