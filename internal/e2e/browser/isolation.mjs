// What a role may not do, and what a tenant may not see.
import { expect, expectEqual } from './until.mjs';

export const scenarios = { 'a viewer only looks': viewerOnlyLooks, 'a tenant sees nothing of another': otherTenant };

async function viewerOnlyLooks({ person }) {
  const viewer = await person();
  const page = await viewer.signIn('viewer');
  const feed = page.getByRole('list', { name: 'Active alarms' });
  await feed.getByRole('link', { name: /Cavitation/ }).first().waitFor();
  const acts = page.getByRole('button', { name: /Acknowledge|Resolve/ });
  expectEqual(await acts.count(), 0, 'buttons to act with on the overview');

  await feed.getByRole('link', { name: /Cavitation/ }).first().click();
  await page.getByText('Your role may look at alarms, but not act on them.').waitFor();
  expectEqual(await acts.count(), 0, 'buttons to act with on an alarm');
  expectEqual(await page.getByRole('checkbox').count(), 0, 'alarms to select');

  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('row').filter({ hasText: 'Bearing too hot' }).waitFor();
  expectEqual(await page.getByRole('link', { name: 'New rule' }).count(), 0, 'ways to a new rule');
  expectEqual(await page.getByRole('switch').count() + (await page.getByRole('button', { name: /^Delete/ }).count()), 0, 'controls of a rule');

  await page.getByRole('link', { name: 'Assets' }).click();
  await page.getByRole('row').filter({ hasText: 'pump-a03' }).waitFor();
  expectEqual(await page.getByRole('link', { name: 'New asset' }).count(), 0, 'ways to a new asset');
  for (const path of ['/rules/new', '/assets/new']) {
    await viewer.go(path);
    await page.getByText('Not for your role').waitFor();
    expectEqual(await page.getByRole('textbox').count(), 0, `fields at ${path}`);
  }
}

/** Everything by which alpha's plant could be known, in texts and in data. */
const ofAlpha = /alpha|(pump|motor|fan|comp)-[abc]\d\d|Feed (pump|motor)|Cooling fan|Booster|Aeration|Drive motor|north[- ](power|station)|river|gas[- ]hub/i;

async function otherTenant({ person }) {
  const engineer = await person();
  await engineer.signIn('engineer', 'alpha-grid');
  const asset = await engineer.openAsset('pump-a03');
  await engineer.page.getByRole('region', { name: 'Alarms' }).getByRole('link', { name: 'Cavitation' }).first().click();
  await engineer.page.getByRole('complementary').waitFor();
  const alarm = new URL(engineer.page.url());

  const stranger = await person();
  const { page } = stranger;
  const said = []; // all that the server says to the stranger
  page.on('response', async (response) => {
    if (response.url().endsWith('/graphql')) said.push(await response.text().catch(() => '')); // the page has gone on
  });
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => said.push(String(payload))));

  await stranger.signIn('admin', 'beta-process');
  const own = { '/': 'Process pump', '/assets': 'pump-d02', '/alarms': 'Process pump', '/rules': 'Fault predicted' };
  for (const [path, text] of Object.entries(own)) {
    await stranger.go(path);
    await page.getByRole('main').getByText(text).first().waitFor();
    const seen = await page.locator('body').innerText();
    expect(!ofAlpha.test(seen), `${path} shows ${seen.match(ofAlpha)}`);
  }
  await stranger.go('/assets?q=pump-a03');
  await page.getByText('Nothing matches the filters').waitFor();
  await stranger.go(asset);
  await page.getByText('There is no such asset').waitFor();
  await stranger.go(`${asset}/edit`);
  await page.getByText('There is no such asset').waitFor();
  await stranger.go(alarm.pathname + alarm.search);
  await page.getByText('There is no such alarm').waitFor();
  await page.getByRole('row').filter({ hasText: 'Process pump' }).first().waitFor();

  expect(said.length > 10 && said.some((text) => text.includes('pump-d02')), 'the stranger hears of the own plant');
  const leak = said.find((text) => ofAlpha.test(text));
  expect(!leak, `the server says to a stranger: ${leak?.match(ofAlpha)} in ${leak?.slice(0, 400)}`);
}
