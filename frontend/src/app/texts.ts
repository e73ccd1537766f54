import type { TextLoader } from '@/shared/i18n/setup';

type Module = { default: Record<string, unknown> };

const files: Record<string, () => Promise<Module>> = {
  ...import.meta.glob<Module>('../features/*/texts/*.json'),
  ...import.meta.glob<Module>('../shared/texts/*.json'),
  ...import.meta.glob<Module>('./texts/*.json'),
};

function pathOf(namespace: string, language: string): string {
  if (namespace === 'common') return `../shared/texts/${language}.json`;
  if (namespace === 'app') return `./texts/${language}.json`;
  return `../features/${namespace}/texts/${language}.json`;
}

/** Texts lie beside what shows them; those of the shared parts are `common`, of the shell `app`. */
export const loadTexts: TextLoader = async (language, namespace) => {
  const load = files[pathOf(namespace, language)];
  if (!load) throw new Error(`no texts ${namespace} in ${language}`);
  return (await load()).default;
};
