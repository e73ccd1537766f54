// What keeps a wrong rule out, and what is done with rules in their list.
import { expectEqual } from './until.mjs';

export const scenarios = { 'errors of a rule stand at their fields': errorsAtFields, 'a rule is turned off and on, deleted and restored': inTheList };

async function errorsAtFields({ person, picture }) {
  const engineer = await person();
  const page = await engineer.signIn('engineer', 'alpha-grid', '/rules/new');
  const save = page.getByRole('button', { name: 'Save' });
  const parameter = page.getByRole('combobox', { name: 'Parameter' });
  const threshold = page.getByRole('textbox', { name: 'Threshold' });

  // The form knows by itself what is missing.
  await parameter.locator('option', { hasText: 'Silence of the sensor' }).waitFor({ state: 'attached' });
  await save.click();
  await page.getByText('3 fields need your attention.').waitFor();
  const name = page.getByRole('textbox', { name: 'Name' });
  for (const field of [name, parameter, threshold]) await blamed(page, field, 'This is needed.');
  await threshold.fill('a lot');
  await blamed(page, threshold, 'Enter a number.');
  await picture(page, 'rule-form-errors');

  // Only the server knows that silence is in seconds.
  const rule = `Silent too long ${Date.now()}`;
  await name.fill(rule);
  await parameter.selectOption({ label: 'Silence of the sensor' });
  await threshold.fill('-5');
  await save.click();
  await blamed(page, threshold, 'The threshold of silence is in seconds, 0 or more.');
  expectEqual(new URL(page.url()).pathname, '/rules/new', 'address after a refusal');

  await threshold.fill('86400');
  await save.click();
  await page.getByRole('link', { name: rule }).waitFor();
}

/** Waits until the text is what assistive technology reads with the field, and the field is invalid. */
async function blamed(page, field, text) {
  await page.locator('p[id]').filter({ hasText: text }).first().waitFor();
  const described = await field.evaluate((input) => document.getElementById(input.getAttribute('aria-describedby'))?.textContent);
  expectEqual(described, text, 'what describes the field');
  expectEqual(await field.getAttribute('aria-invalid'), 'true', 'whether the field is invalid');
}

async function inTheList({ person }) {
  const rule = `Too quiet ${Date.now()}`;
  const engineer = await person();
  const page = await engineer.signIn('engineer', 'alpha-grid', '/rules/new');
  await page.getByRole('textbox', { name: 'Name' }).fill(rule);
  await page.getByRole('combobox', { name: 'Parameter' }).selectOption({ label: 'Motor current' });
  await page.getByRole('combobox', { name: 'Operator' }).selectOption({ label: '< below' });
  await page.getByRole('textbox', { name: 'Threshold' }).fill('-1');
  await page.getByRole('button', { name: 'Save' }).click();

  const row = page.getByRole('row').filter({ hasText: rule });
  const active = page.getByRole('switch', { name: `${rule} is active` });
  await row.getByText('Motor current < -1').waitFor();
  for (const [word, state] of [['inactive', false], ['active', true]]) {
    await active.click();
    await page.getByText(`${rule} is ${word}`, { exact: true }).first().waitFor();
    await page.reload();
    await active.waitFor();
    expectEqual(await active.isChecked(), state, `whether the rule is ${word} after a reload`);
  }

  const bin = page.getByRole('button', { name: `Delete ${rule}` });
  await bin.click();
  await row.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await row.waitFor();
  await bin.click();
  await row.waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('link', { name: 'Fault predicted' }).waitFor();
  expectEqual(await row.count(), 0, 'rows of the deleted rule after a reload');
}
