/** Non-breaking, so that a number and its unit stay on one line. */
const NBSP = '\u00a0';
/** Begin and end of a piece of text that runs from left to right whatever stands around it. */
const LRI = '\u2066';
const PDI = '\u2069';
const MINUTE = 60_000;

export interface Format {
  /** A whole number with separators. */
  count: (value: number) => string;
  /** A measured value with three significant digits at most, with its unit if given. */
  measure: (value: number, unit?: string) => string;
  /** A share of 0-1 in whole per cent: "87 %". */
  percent: (share: number) => string;
  money: (value: number, currency: string) => string;
  /** Hour and minute. */
  time: (at: string | number | Date) => string;
  /** The same, with the date when it is not today. */
  moment: (at: string | number | Date) => string;
  /** Date and time to the second, for those who hover. */
  absolute: (at: string | number | Date) => string;
  date: (at: string | number | Date) => string;
  /** "3 minutes ago". */
  relative: (at: string | number | Date, now?: number) => string;
  /** Seconds as "2 min". */
  duration: (seconds: number) => string;
}

/** Formats for the language; Arabic text keeps Western digits unless the tag asks otherwise. */
export function createFormat(language: string): Format {
  const tag = language === 'ar' ? 'ar-u-nu-latn' : language;
  const count = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  const measure = new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 });
  const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const time = new Intl.DateTimeFormat(tag, clock);
  const dated = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', ...clock });
  const date = new Intl.DateTimeFormat(tag, { dateStyle: 'medium' });
  const absolute = new Intl.DateTimeFormat(tag, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    second: '2-digit',
    timeZoneName: 'short',
    ...clock,
  });
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' });
  // A value and its unit read from left to right in every language.
  const together = (text: string) => (language === 'ar' ? `${LRI}${text}${PDI}` : text);
  const number = (value: number) => (Math.abs(value) >= 1000 ? count.format(value) : measure.format(value));

  return {
    count: (value) => count.format(value),
    measure: (value, unit) => together(unit ? number(value) + NBSP + unit : number(value)),
    percent: (share) => together(count.format(Math.round(share * 100)) + NBSP + '%'),
    money: (value, currency) =>
      new Intl.NumberFormat(tag, { style: 'currency', currency, maximumFractionDigits: 0 }).format(value),
    time: (at) => time.format(new Date(at)),
    moment: (at) => {
      const when = new Date(at);
      return (sameDay(when, new Date()) ? time : dated).format(when);
    },
    absolute: (at) => absolute.format(new Date(at)),
    date: (at) => date.format(new Date(at)),
    relative: (at, now = Date.now()) => {
      const [amount, unit] = distance(new Date(at).getTime() - now);
      return relative.format(amount, unit);
    },
    duration: (seconds) => {
      const [amount, unit] = distance(seconds * 1000);
      return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short' }).format(amount);
    },
  };
}

function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

function distance(ms: number): [number, 'second' | 'minute' | 'hour' | 'day'] {
  const size = Math.abs(ms);
  if (size < MINUTE) return [Math.round(ms / 1000), 'second'];
  if (size < 60 * MINUTE) return [Math.round(ms / MINUTE), 'minute'];
  if (size < 48 * 60 * MINUTE) return [Math.round(ms / (60 * MINUTE)), 'hour'];
  return [Math.round(ms / (24 * 60 * MINUTE)), 'day'];
}
