import type { Rule } from './documents';

/** Operators with the signs people know them by. */
export const operatorSigns = { GT: '>', GTE: '≥', LT: '<', LTE: '≤', EQ: '=' } as const satisfies Record<
  Rule['operator'],
  string
>;

export const operators = Object.keys(operatorSigns) as (keyof typeof operatorSigns)[];

/**
 * Quantities that are no reading: probability of a fault, seconds without a word, and what is said of
 * a machine once a day.
 */
export const ownQuantities = [
  'confidence',
  'silence',
  'failure_prob_7d',
  'failure_prob_30d',
  'health_score',
] as const;
