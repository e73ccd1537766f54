/** Where the theme remembers light, dark or system. */
export const MODE_KEY = 'foresight.theme';

/** Gives the page its look before anything is drawn: the theme itself does so only after the first drawing. */
export function takeFirstLook() {
  const mode = localStorage.getItem(MODE_KEY) ?? 'system';
  const dark = mode === 'dark' || (mode === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}
