// From a rule to an alarm that somebody has dealt with.
import { live } from './people.mjs';
import { expect, until } from './until.mjs';

export const scenarios = { 'a rule raises an alarm that is acknowledged and resolved': fromRuleToResolution };

async function fromRuleToResolution({ person, picture, figure }) {
  const rule = `Pump is running ${Date.now()}`;
  const [operator, engineer] = [await person(), await person()];
  const wall = await operator.signIn('operator');
  await live(wall);
  await wall.evaluate(() => (window.sameDocument = true));
  const unseen = wall.getByRole('main').getByRole('link', { name: /^Unacknowledged alarms/ });
  const count = async () => Number((await unseen.innerText()).match(/\d+/)[0]);
  const before = await count();

  const desk = await engineer.signIn('engineer', 'alpha-grid', '/rules');
  await desk.getByRole('link', { name: 'New rule' }).click();
  await desk.getByRole('textbox', { name: 'Name' }).fill(rule);
  await desk.getByRole('combobox', { name: 'Parameter' }).selectOption({ label: 'Vibration RMS' });
  await desk.getByRole('textbox', { name: 'Threshold' }).fill('0.01');
  await desk.getByRole('combobox', { name: 'Severity' }).selectOption({ label: 'Critical' });
  await desk.getByRole('combobox', { name: 'Watches' }).selectOption({ label: 'One machine' });
  await desk.getByRole('combobox', { name: 'Machine', exact: true }).fill('pump-a05');
  await desk.getByRole('option', { name: /Feed pump A05/ }).click();
  await desk.getByRole('textbox', { name: 'Samples in a row' }).fill('2');
  await picture(desk, 'rule-form');
  await desk.getByRole('button', { name: 'Save' }).click();
  const begin = Date.now();
  await desk.getByRole('link', { name: rule }).waitFor();

  // The wall hears of it by itself.
  const item = wall.getByRole('list', { name: 'Active alarms' }).getByRole('listitem').filter({ hasText: rule });
  await item.waitFor();
  figure(`alarm on another screen ${((Date.now() - begin) / 1000).toFixed(1)} s after its rule was saved (readings every second)`);
  await item.getByText('Critical · Open · North power station').waitFor();
  await item.getByRole('link', { name: new RegExp(`^${rule} on Feed pump A05`) }).waitFor();
  await until('the count of unacknowledged alarms rises', async () => (await count()) > before);
  await wall.getByRole('banner').getByRole('link', { name: /^Critical: \d/ }).waitFor();
  const address = await item.getByRole('link').getAttribute('href');

  // At the desk it is among the alarms.
  await desk.getByRole('link', { name: 'Alarms', exact: true }).click();
  const row = desk.getByRole('row').filter({ hasText: rule });
  await row.getByText('Open', { exact: true }).waitFor();
  await row.click();
  const panel = desk.getByRole('complementary', { name: rule });
  await picture(desk, 'alarm-open');
  await panel.getByRole('button', { name: 'Acknowledge' }).click();
  await row.getByText('Acknowledged', { exact: true }).waitFor();
  await panel.getByText('Erik Engineer').first().waitFor();
  await item.getByText('Critical · Acknowledged · North power station').waitFor();
  await until('nothing is left to acknowledge at the wall', async () => (await item.getByRole('button').count()) === 0);

  // Resolved while the condition holds it would be raised anew: the machine is stopped first, so to say.
  await engineer.go('/rules');
  await desk.getByRole('switch', { name: `${rule} is active` }).click();
  await desk.getByText(`${rule} is inactive`).waitFor();
  await engineer.go(address);
  await panel.getByRole('button', { name: 'Resolve' }).click();
  const dialog = desk.getByRole('dialog', { name: 'Resolve alarm' });
  await dialog.getByRole('button', { name: 'Resolve' }).click();
  await dialog.getByText('Say what was done.').waitFor();
  await dialog.getByRole('textbox', { name: /Correction plan/ }).fill('Pump stopped, strainer cleaned.');
  await dialog.getByRole('button', { name: 'Resolve' }).click();
  await dialog.waitFor({ state: 'detached' });
  await panel.getByRole('definition').filter({ hasText: 'Pump stopped, strainer cleaned.' }).waitFor();
  await row.waitFor({ state: 'detached' });
  await item.waitFor({ state: 'detached' });
  expect(await wall.evaluate(() => window.sameDocument), 'the wall was not reloaded');

  await engineer.go(`/alarms?status=RESOLVED&open=${new URL(address, engineer.url).searchParams.get('open')}`);
  await row.getByText('Resolved', { exact: true }).waitFor();
  await picture(desk, 'alarm-resolved');
}
