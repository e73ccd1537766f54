export interface Language {
  tag: string;
  /** Its name in itself. */
  name: string;
  direction: 'ltr' | 'rtl';
}

export const languages: readonly Language[] = [
  { tag: 'en', name: 'English', direction: 'ltr' },
  { tag: 'ar', name: 'العربية', direction: 'rtl' },
];

const fallback = languages[0]!;
const STORED = 'foresight.language';

export function languageOf(tag: string): Language {
  return languages.find((language) => language.tag === tag) ?? fallback;
}

/** The person's choice in this browser, else the browser's first that there is. */
export function preferredLanguage(): string {
  const wishes = [read(STORED), ...navigator.languages].filter((wish) => wish !== null);
  for (const wish of wishes) {
    const base = wish.split('-')[0];
    if (languages.some((language) => language.tag === base)) return base!;
  }
  return fallback.tag;
}

export function rememberLanguage(tag: string): void {
  try {
    localStorage.setItem(STORED, tag);
  } catch {
    // Storage may be forbidden; the choice then lasts for this visit.
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
