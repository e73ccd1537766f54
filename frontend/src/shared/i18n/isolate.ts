import type { Language } from './languages';

const FIRST_STRONG = '\u2068';
const END = '\u2069';
const arabic = /[\u0590-\u08ff]/;
const latin = /[A-Za-z]/;

/**
 * Sets a name that is put into a sentence of the other direction apart, so that it does
 * not pull the words and numbers beside it out of order.
 */
export function isolate(value: string, { direction }: Pick<Language, 'direction'>): string {
  const foreign = direction === 'rtl' ? latin : arabic;
  return foreign.test(value) ? FIRST_STRONG + value + END : value;
}
