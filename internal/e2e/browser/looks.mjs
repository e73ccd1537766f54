// How it looks: other languages, dark, small screens. The pictures are kept to be looked at.
import { live, settled } from './people.mjs';
import { expect, expectEqual, until } from './until.mjs';

export const scenarios = {
  'Arabic runs from right to left': arabic,
  'the dark theme': dark,
  'a phone shows the overview, the alarms and a machine': phone,
  'the overview has its picture taken': overview,
};

async function arabic({ person, picture }) {
  const engineer = await person();
  const page = await engineer.signIn('engineer');
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByRole('menuitemradio', { name: 'العربية' }).click();
  await page.getByRole('heading', { name: 'نظرة عامة' }).waitFor();
  expectEqual(await page.locator('html').getAttribute('dir'), 'rtl', 'direction of the document');
  expectEqual(await page.locator('html').getAttribute('lang'), 'ar', 'language of the document');
  const navigation = await page.getByRole('navigation').boundingBox();
  expect(navigation.x > 720, `the navigation stands at the right: ${navigation.x}`);

  // Fault labels come from the server, in the query and in the live items.
  const feed = page.getByRole('list', { name: 'الإنذارات النشطة' });
  await feed.getByRole('link', { name: /تكهّف.*Feed pump A03/ }).first().waitFor();
  await page.getByRole('list', { name: /التنبؤات/ }).getByText('تكهّف').first().waitFor();
  const leftover = await page.getByRole('main').innerText();
  expect(!/Cavitation|unbalance|misalignment|defect/i.test(leftover), `no fault is named in English: ${leftover}`);
  await settled(page);
  await picture(page, 'overview-arabic');

  await engineer.go('/alarms');
  await page.getByRole('heading', { name: 'الإنذارات' }).waitFor();
  await page.getByRole('row').filter({ hasText: 'تكهّف' }).first().click();
  await page.getByText('ارفع ضغط السحب', { exact: false }).first().waitFor();
  await settled(page);
  await picture(page, 'alarms-arabic');

  await page.getByRole('complementary').getByRole('link', { name: /Feed pump A03/ }).click();
  await page.getByRole('heading', { level: 1, name: /Feed pump A03/ }).waitFor();
  await page.getByRole('meter', { name: 'تكهّف' }).first().waitFor();
  await page.locator('canvas').first().waitFor();
  await settled(page);
  await picture(page, 'asset-arabic');
  expectEqual(await page.locator('html').getAttribute('dir'), 'rtl', 'direction after a reload');
  await fits(page);

  // What the server refuses is said in Arabic, too.
  await engineer.go('/rules/new');
  const inputs = page.getByRole('main').locator('form');
  await inputs.locator('input[name=name]').fill('صمت');
  await inputs.locator('select[name=parameter]').selectOption('silence');
  await inputs.locator('input[name=threshold]').fill('-5');
  await inputs.locator('button[type=submit]').click();
  await until('an Arabic error at the field', () =>
    inputs.locator('input[name=threshold]').evaluate((input) =>
      /[\u0600-\u06ff]/.test(document.getElementById(input.getAttribute('aria-describedby'))?.textContent ?? ''),
    ),
  );
  await picture(page, 'rule-form-arabic');
}

async function dark({ person, picture }) {
  const engineer = await person();
  const page = await engineer.signIn('engineer');
  await page.getByRole('button', { name: 'Theme' }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await until('the page is dark', async () => (await background()) === 'rgb(18, 22, 28)');
  await page.getByRole('list', { name: 'Active alarms' }).getByRole('listitem').first().waitFor();
  await settled(page);
  await picture(page, 'overview-dark');
  await engineer.openAsset('pump-a03');
  expectEqual(await background(), 'rgb(18, 22, 28)', 'background after a reload');
  await page.getByRole('meter', { name: 'Cavitation' }).first().waitFor();
  await page.locator('canvas').first().waitFor();
  await settled(page);
  await picture(page, 'asset-dark');
}

async function phone({ person, picture }) {
  const operator = await person({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  const page = await operator.signIn('operator');
  await page.getByRole('list', { name: 'Active alarms' }).getByRole('listitem').first().waitFor();
  await live(page);
  await settled(page);
  await fits(page);
  await picture(page, 'overview-phone');

  await page.getByRole('button', { name: 'Open navigation' }).tap();
  await page.getByRole('link', { name: 'Alarms', exact: true }).tap();
  await page.getByRole('heading', { level: 1, name: 'Alarms' }).waitFor();
  await page.getByRole('navigation').waitFor({ state: 'detached' });
  const row = page.getByRole('row').filter({ hasText: 'Cavitation' }).first();
  await row.waitFor();
  await settled(page);
  await fits(page);
  await picture(page, 'alarms-phone');
  await row.tap();
  const panel = page.getByRole('dialog', { name: 'Cavitation' });
  await panel.getByRole('heading', { name: 'What happened' }).waitFor();
  await picture(page, 'alarm-phone');
  await panel.getByRole('link', { name: /Feed pump A03/ }).tap();
  await page.getByRole('heading', { level: 1, name: /Feed pump A03/ }).waitFor();
  await page.locator('canvas').first().waitFor();
  await page.getByRole('meter', { name: 'Cavitation' }).first().waitFor();
  await settled(page);
  await fits(page);
  await picture(page, 'asset-phone');
}

async function overview({ person, picture }) {
  const engineer = await person({ colorScheme: 'light' });
  const page = await engineer.signIn('engineer');
  await live(page);
  const feed = page.getByRole('list', { name: 'Active alarms' }).getByRole('listitem');
  await until('the demo\'s four faults are in alarm', async () => (await feed.count()) >= 4);
  await until('the demo\'s four faults are predicted', async () =>
    (await page.getByRole('list', { name: 'Latest abnormal predictions' }).getByRole('listitem').count()) >= 4);
  await settled(page);
  await picture(page, 'overview');
}

/** Fails when the page is wider than the screen. */
async function fits(page) {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(wide <= screen, `${new URL(page.url()).pathname} is ${wide} px wide on a screen of ${screen} px`);
}
