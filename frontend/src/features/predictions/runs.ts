import type { Prediction } from './documents';

/** Predictions of one fault in a row. */
export interface Run {
  newest: Prediction;
  /** Time of the oldest of them. */
  from: string;
  count: number;
  highest: number;
}

/** Joins neighbours of the same fault; the list is the newest first, and so is the answer. */
export function runsOf(predictions: Prediction[]): Run[] {
  const runs: Run[] = [];
  for (const one of predictions) {
    const last = runs[runs.length - 1];
    if (last && last.newest.code === one.code && last.newest.sensorId === one.sensorId) {
      last.from = one.timestamp;
      last.count++;
      last.highest = Math.max(last.highest, one.probability);
    } else {
      runs.push({ newest: one, from: one.timestamp, count: 1, highest: one.probability });
    }
  }
  return runs;
}

/** The newest prediction of each machine, the newest first. */
export function newestByAsset(predictions: Prediction[]): Prediction[] {
  const seen = new Set<string>();
  return predictions.filter((one) => {
    if (seen.has(one.assetId)) return false;
    seen.add(one.assetId);
    return true;
  });
}
