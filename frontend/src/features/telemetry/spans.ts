/** Spans of time that can be shown, in seconds. */
export const spans = [300, 900, 3600, 86_400, 604_800, 2_592_000];

/** The longest span that is shown reading by reading, and live; longer ones as averages. */
const LONGEST_LIVE = 3600;

export const isLive = (seconds: number): boolean => seconds <= LONGEST_LIVE;

/** Seconds between two points of a span, as the server chooses them; 0 for readings. */
export function stepOf(seconds: number): number {
  if (isLive(seconds)) return 0;
  return seconds <= 3 * 86_400 ? 300 : 3600;
}
