import createCache, { type EmotionCache } from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import rtlPlugin from '@mui/stylis-plugin-rtl';
import { prefixer } from 'stylis';
import { useMemo, type ReactNode } from 'react';
import { MODE_KEY } from './firstLook';
import { createAppTheme } from './theme';

/** The nonce that the server put into the page; without one the meta tag still holds its mark. */
function nonceOfPage(): string | undefined {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
  return nonce && !nonce.startsWith('__') ? nonce : undefined;
}

const caches = new Map<string, EmotionCache>();

function cacheFor(direction: 'ltr' | 'rtl'): EmotionCache {
  let cache = caches.get(direction);
  if (!cache) {
    const nonce = nonceOfPage();
    cache = createCache({
      key: direction,
      ...(nonce ? { nonce } : {}),
      stylisPlugins: direction === 'rtl' ? [prefixer, rtlPlugin] : [prefixer],
    });
    caches.set(direction, cache);
  }
  return cache;
}

interface Props {
  direction: 'ltr' | 'rtl';
  children: ReactNode;
}

export function LookProvider({ direction, children }: Props) {
  const theme = useMemo(() => createAppTheme(direction), [direction]);
  return (
    <CacheProvider value={cacheFor(direction)}>
      <ThemeProvider theme={theme} defaultMode="system" modeStorageKey={MODE_KEY} noSsr>
        <CssBaseline enableColorScheme />
        {children}
      </ThemeProvider>
    </CacheProvider>
  );
}
