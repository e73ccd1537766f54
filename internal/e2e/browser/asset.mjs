// The page of a machine that is about to fail.
import { expect, until } from './until.mjs';

export const scenarios = { 'a faulty machine is seen live': faultyMachine };

async function faultyMachine({ person }) {
  const engineer = await person();
  const page = await engineer.signIn('engineer', 'alpha-grid', '/assets');

  await page.getByRole('searchbox', { name: 'Search assets' }).fill('pump-a03');
  const row = page.getByRole('row').filter({ hasText: 'Feed pump A03' });
  await row.getByText('Cavitation').waitFor();
  await row.getByText('pump-a03').click();
  await page.getByRole('link', { name: 'Open asset' }).click();
  await page.getByRole('heading', { level: 1, name: /Feed pump A03/ }).waitFor();
  await page.evaluate(() => (window.sameDocument = true));

  const predictions = page.getByRole('region', { name: 'Predictions' });
  const meter = predictions.getByRole('meter', { name: 'Cavitation' });
  await until('the model is sure of cavitation', async () => Number(await meter.first().getAttribute('aria-valuenow')) >= 60);
  await predictions.getByRole('heading', { name: 'What to do' }).waitFor();
  await predictions.getByText(/Raise the suction pressure/).waitFor();

  await moves(page, 'Vibration RMS');
  await page.getByRole('button', { name: 'Temperature', exact: true }).click();
  await moves(page, 'Motor DE');

  const judged = () => predictions.locator('time').first().getAttribute('datetime');
  const before = await judged();
  await until('a newer prediction', async () => (await judged()) > before);
  expect(await page.evaluate(() => window.sameDocument), 'all of it without a reload');
}

/** Waits until the chart has shown three values, and another picture of them. */
async function moves(page, name) {
  const chart = page.getByRole('figure', { name, exact: true });
  const line = () => chart.locator('canvas').evaluate((canvas) => canvas.toDataURL());
  await chart.locator('canvas').waitFor();
  const values = new Set();
  const drawn = await line();
  await until(`${name} shows three values`, async () => values.add(await chart.innerText()).size > 2);
  await until(`the line of ${name} moves`, async () => (await line()) !== drawn);
}
