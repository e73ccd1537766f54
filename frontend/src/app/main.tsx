import '@fontsource-variable/inter/wght.css';
import '@fontsource/noto-sans-arabic/arabic-400.css';
import '@fontsource/noto-sans-arabic/arabic-600.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nextProvider } from 'react-i18next';
import { BrowserRouter } from 'react-router';
import { startTexts } from '@/shared/i18n/setup';
import { Connection } from '@/shared/live/connection';
import { Session } from '@/shared/session/session';
import { takeFirstLook } from '@/shared/theme/firstLook';
import { App } from './App';
import { loadTexts } from './texts';

takeFirstLook();
const i18n = await startTexts(loadTexts, ['common', 'app', 'auth', 'overview', 'alarms', 'predictions']);
const session = new Session(() => i18n.language);
void session.restore();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <I18nextProvider i18n={i18n}>
      {/* Two changes of the address one after the other build on each other only when none is held back. */}
      <BrowserRouter useTransitions={false}>
        <App session={session} connection={new Connection()} />
      </BrowserRouter>
    </I18nextProvider>
  </StrictMode>,
);
