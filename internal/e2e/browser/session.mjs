// Coming in, staying in and going out.
import { live } from './people.mjs';
import { expect, expectEqual, until } from './until.mjs';

export const scenarios = { 'sign in': signIn, 'a session survives a reload and ends': stayAndLeave };

async function signIn({ person, figure }) {
  const somebody = await person();
  const { page } = somebody;
  await somebody.go('/');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();

  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This is needed.').waitFor();

  const email = page.getByLabel('Email');
  await email.fill('engineer@alpha-grid.example');
  await page.getByLabel('Password').fill('not-the-password');
  await page.getByLabel('Password').press('Enter');
  await page.getByRole('alert').waitFor();
  expectEqual(await email.inputValue(), 'engineer@alpha-grid.example', 'address after a wrong password');
  expectEqual(await page.getByRole('navigation').count(), 0, 'navigation after a wrong password');

  const begin = Date.now();
  await page.getByLabel('Password').fill('foresight-demo');
  await page.getByLabel('Password').press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  for (const name of [/^Unacknowledged alarms \d+/, /^Machines in alarm \d+\s*of 50/, /^Machines 50$/]) {
    await page.getByRole('main').getByRole('link', { name }).waitFor();
  }
  await page.getByRole('main').getByRole('link', { name: /^Machines reporting 50\s*of 50/ }).waitFor();
  await live(page);
  const latest = page.getByRole('list', { name: 'Latest abnormal predictions' });
  await latest.getByRole('listitem').filter({ hasText: 'Cavitation' }).waitFor();
  figure(`overview with a prediction ${((Date.now() - begin) / 1000).toFixed(1)} s after the password`);

  const newest = () => latest.locator('time').evaluateAll((times) => times.map((time) => time.dateTime).sort().at(-1));
  const before = await newest();
  await until('a newer prediction comes without reload', async () => (await newest()) > before);
}

async function stayAndLeave({ person, picture }) {
  const somebody = await person();
  const page = await somebody.signIn('operator');
  const asset = await somebody.openAsset('pump-a03');

  await page.reload();
  await page.getByRole('heading', { level: 1, name: /Feed pump A03/ }).waitFor();

  const cookies = (await somebody.context.cookies()).filter(({ value }) => value.length > 20);
  expect(cookies.length > 0, 'a cookie keeps the session');
  for (const { name, httpOnly, sameSite } of cookies) {
    expect(httpOnly && sameSite !== 'None', `${name} is out of the reach of scripts and of other sites`);
  }
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  expect(!/eyJ|token/i.test(stored), `no token is stored: ${stored}`);

  const other = await somebody.context.newPage();
  await other.goto(`${somebody.url}/alarms`);
  await other.getByRole('heading', { level: 1, name: 'Alarms' }).waitFor();
  await other.close();

  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await picture(page, 'sign-in');

  await page.goBack();
  await until('the address of the asset is back', () => new URL(page.url()).pathname === asset);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const seen = await page.locator('body').innerText();
  expect(!/Feed pump|Cavitation|Alpha/i.test(seen), `no data after signing out and going back: ${seen}`);

  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}
