import { expect, test } from 'vitest';

type Texts = { [key: string]: string | Texts };

const texts = import.meta.glob<Texts>('../**/texts/*.json', { eager: true, import: 'default' });
const sources = import.meta.glob<string>(['../**/*.{ts,tsx}', '!../**/*.test.*', '!../testing/**'], {
  eager: true,
  query: '?raw',
  import: 'default',
});
const folders = [...new Set(Object.keys(texts).map((path) => path.replace(/\w+\.json$/, '')))];

function flat(value: Texts, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, inner]) =>
      typeof inner === 'string' ? [[prefix + key, inner] as const] : [...flat(inner, `${prefix}${key}.`)],
    ),
  );
}

const plural = /_(zero|one|two|few|many|other)$/;
const load = (folder: string, language: string) => flat(texts[`${folder}${language}.json`] ?? {});
const bases = (all: Map<string, string>) => new Set([...all.keys()].map((key) => key.replace(plural, '')));

function namespaceOf(folder: string): string {
  if (folder.startsWith('../shared')) return 'common';
  if (folder.startsWith('../features')) return folder.split('/')[2]!;
  return 'app';
}

test.each(folders)('%s says the same in every language', (folder) => {
  const english = load(folder, 'en');
  const arabic = load(folder, 'ar');
  expect([...bases(arabic)].sort()).toEqual([...bases(english)].sort());
  for (const [language, all] of [
    ['en', english],
    ['ar', arabic],
  ] as const) {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const key of all.keys()) {
      if (!plural.test(key)) continue;
      const found = [...all.keys()].filter((one) => one.replace(plural, '') === key.replace(plural, ''));
      expect(found.map((one) => one.match(plural)![1]).sort(), key).toEqual([...categories].sort());
    }
  }
  for (const [key, text] of english) {
    const other = arabic.get(key);
    if (other === undefined || plural.test(key)) continue;
    const holes = (one: string) => [...one.matchAll(/{{(\w+)}}/g)].map((match) => match[1]).sort();
    expect(holes(other), key).toEqual(holes(text));
  }
});

test('every key that a component names has a text', () => {
  const known = new Map(folders.map((folder) => [namespaceOf(folder), bases(load(folder, 'en'))]));
  const missing: string[] = [];
  for (const [path, source] of Object.entries(sources)) {
    const own = /useTranslation\(\[?'(\w+)'/.exec(source)?.[1];
    if (!own) continue;
    for (const [, key] of source.matchAll(/\bt\(\s*'([\w.:]+)'/g)) {
      const [namespace, name] = key!.includes(':') ? (key!.split(':') as [string, string]) : [own, key!];
      if (!known.get(namespace)?.has(name) && !known.get('common')?.has(name))
        missing.push(`${path}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
});

test('no text is without use', () => {
  const all = Object.values(sources).join('\n');
  const idle: string[] = [];
  for (const folder of folders) {
    for (const key of bases(load(folder, 'en'))) {
      const parent = key.replace(/\.[^.]+$/, '');
      const used =
        all.includes(`'${key}'`) ||
        all.includes(`:${key}'`) ||
        all.includes(`${key.split('.')[0]}.\${`) ||
        all.includes(`${parent}.\${`);
      if (!used) idle.push(`${folder}${key}`);
    }
  }
  expect(idle).toEqual([]);
});
