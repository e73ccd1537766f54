// axe looks at every page in both looks; unlike in tests of components it sees colours and sizes.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { settled } from './people.mjs';
import { expect } from './until.mjs';

const require = createRequire(new URL('../../../frontend/package.json', import.meta.url));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const scenarios = {
  'no barriers in the light look': (stage) => pages(stage, { colorScheme: 'light' }),
  'no barriers in the dark look': (stage) => pages(stage, { colorScheme: 'dark' }),
  'no barriers on a phone': (stage) => pages(stage, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }),
};

async function pages({ person }, options) {
  // Somebody who does not want motion: what pulses stands still, and its contrast can be told.
  const engineer = await person({ reducedMotion: 'reduce', ...options });
  const { page } = engineer;
  const found = [];
  const look = async (where) => {
    await settled(page);
    found.push(...(await barriers(page)).map((barrier) => `${where}: ${barrier}`));
  };
  const main = page.getByRole('main');

  await engineer.go('/');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await look('sign-in');
  await engineer.signIn('engineer');
  await main.getByRole('link', { name: /Cavitation/ }).first().waitFor();
  await look('overview');
  await engineer.go('/assets');
  await main.getByRole('link', { name: 'Feed pump A03' }).waitFor();
  await look('assets');
  await engineer.openAsset('pump-a03');
  await main.getByRole('meter', { name: 'Cavitation' }).first().waitFor();
  await page.locator('canvas').first().waitFor();
  await look('asset');
  await main.getByRole('link', { name: 'Edit' }).click();
  await main.getByRole('button', { name: 'Save' }).waitFor();
  await look('form of an asset');
  await engineer.go('/alarms');
  await page.getByRole('row').filter({ hasText: 'Cavitation' }).first().click();
  await page.getByRole('heading', { name: 'What happened' }).waitFor();
  await look('alarm');
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await page.getByRole('dialog', { name: 'Resolve alarm' }).waitFor();
  await look('resolving an alarm');
  await engineer.go('/rules');
  await main.getByRole('link', { name: 'Fault predicted' }).click();
  await main.getByRole('button', { name: 'Save' }).waitFor();
  await look('form of a rule');
  await main.getByRole('textbox', { name: 'Threshold' }).fill('');
  await main.getByRole('button', { name: 'Save' }).click();
  await main.getByText('This is needed.').waitFor();
  await look('form of a rule with an error');
  await engineer.go('/rules');
  await main.getByRole('link', { name: 'Fault predicted' }).waitFor();
  await look('rules');
  expect(found.length === 0, `barriers:\n${found.join('\n')}`);
}

/** The serious and critical violations of WCAG 2.2 A and AA on the page. */
async function barriers(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    // An experiment of axe's: it takes the number beside a name for a part of it.
    const rules = { 'label-content-name-mismatch': { enabled: false } };
    const { violations } = await window.axe.run(document, { runOnly: tags, rules });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id} ${html.slice(0, 160)} ${failureSummary.replaceAll('\n', ' ')}`));
  });
}
