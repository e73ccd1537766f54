import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { I18nextProvider } from 'react-i18next';
import { MemoryRouter, useLocation } from 'react-router';
import { App } from '@/app/App';
import { loadTexts } from '@/app/texts';
import { rememberLanguage } from '@/shared/i18n/languages';
import { startTexts } from '@/shared/i18n/setup';
import { Connection } from '@/shared/live/connection';
import { Session } from '@/shared/session/session';
import schemaText from '../../schema.graphql?raw';
import { furnishedWorld } from './furnished';
import { serve } from './server';
import type { World } from './world';

interface Options {
  path?: string;
  language?: 'en' | 'ar';
  /** Changes the world before anybody asks it. */
  prepare?: (world: World) => void;
}

/** Opens the whole application at an address, on a world of its own. */
export async function open({ path = '/', language = 'en', prepare }: Options = {}) {
  const world = furnishedWorld(schemaText);
  prepare?.(world);
  serve(world);
  rememberLanguage(language);
  const i18n = await startTexts(loadTexts, ['common', 'app', 'auth', 'overview', 'alarms', 'predictions']);
  const session = new Session(() => i18n.language);
  const connection = new Connection();
  void session.restore();
  let address = path;
  function Address() {
    const { pathname, search } = useLocation();
    address = pathname + search;
    return null;
  }
  const view = render(
    <I18nextProvider i18n={i18n}>
      <MemoryRouter initialEntries={[path]} useTransitions={false}>
        <App session={session} connection={connection} />
        <Address />
      </MemoryRouter>
    </I18nextProvider>,
  );
  return { world, session, connection, user: userEvent.setup(), address: () => address, ...view };
}
