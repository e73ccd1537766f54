import i18next, { type i18n } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { isolate } from './isolate';
import { languageOf, preferredLanguage } from './languages';

/** Loads the texts of one namespace in one language. */
export type TextLoader = (language: string, namespace: string) => Promise<Record<string, unknown>>;

/** Starts translation; namespaces are fetched when a component first asks for them. */
export async function startTexts(load: TextLoader, preload: string[]): Promise<i18n> {
  const instance = i18next.createInstance();
  instance.use(initReactI18next).use({
    type: 'backend' as const,
    read(language: string, namespace: string, done: (error: unknown, texts: object | null) => void) {
      load(language, namespace).then(
        (texts) => done(null, texts),
        (error: unknown) => done(error, null),
      );
    },
  });
  await instance.init({
    lng: preferredLanguage(),
    fallbackLng: 'en',
    ns: preload,
    defaultNS: 'common',
    fallbackNS: 'common',
    // React escapes; what is done here instead keeps foreign names in their own direction.
    interpolation: { escapeValue: true, escape: (value) => isolate(value, languageOf(instance.language)) },
    react: { useSuspense: true },
  });
  instance.on('languageChanged', (tag) => apply(tag));
  apply(instance.language);
  return instance;
}

function apply(tag: string): void {
  document.documentElement.lang = tag;
  document.documentElement.dir = languageOf(tag).direction;
}
