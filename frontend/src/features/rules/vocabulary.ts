import type { Rule } from './documents';

/** Operators with the signs people know them by. */
export const operatorSigns = { GT: '>', GTE: '≥', LT: '<', LTE: '≤', EQ: '=' } as const satisfies Record<
  Rule['operator'],
  string
>;

export const operators = Object.keys(operatorSigns) as (keyof typeof operatorSigns)[];

/** Quantities that are no reading: probability of a fault, and seconds without a word. */
export const ownQuantities = ['confidence', 'silence'] as const;
