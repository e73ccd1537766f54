import { screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { open } from '@/testing/render';

vi.mock('uplot', () => import('@/testing/uplot'));

const table = () => screen.findByRole('table', { name: 'Assets' });

test('the address holds search and filters, and the list shows them', async () => {
  const { world } = await open({ path: '/assets?q=pump&site=site-1' });
  expect(await screen.findByText('3 machines')).toBeVisible();
  expect(screen.getByRole('searchbox', { name: 'Search assets' })).toHaveValue('pump');
  expect(screen.getByRole('button', { name: 'Site: Riverside works' })).toBeVisible();
  const list = world.log.find((one) => one.name === 'AssetList');
  expect(list?.variables).toMatchObject({ filter: { search: 'pump', siteId: 'site-1' } });
});

test('typing a search changes the address and the list', async () => {
  const { user, address } = await open({ path: '/assets' });
  await user.type(await screen.findByRole('searchbox', { name: 'Search assets' }), 'fan');
  expect(await screen.findByText('3 machines')).toBeVisible();
  expect(address()).toBe('/assets?q=fan');
  await user.click(screen.getByRole('button', { name: 'Clear filters' }));
  expect(await screen.findByText('12 machines')).toBeVisible();
});

test('a search that has not settled is in the address once the field is left', async () => {
  const { user, address } = await open({ path: '/assets' });
  await user.type(await screen.findByRole('searchbox', { name: 'Search assets' }), 'fan');
  await user.tab();
  expect(address()).toBe('/assets?q=fan');
});

test('nothing found says so', async () => {
  await open({ path: '/assets?q=nothing-like-it' });
  expect(await screen.findByText('Nothing matches the filters')).toBeVisible();
});

test('sorts by a column, both ways', async () => {
  const { user, address } = await open({ path: '/assets' });
  await user.click(within(await table()).getByRole('button', { name: 'Name' }));
  expect(address()).toBe('/assets?sort=NAME&dir=asc');
  await waitFor(() => expect(screen.getAllByRole('row')[1]).toHaveTextContent('Air compressor AC-444'));
  expect(screen.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await user.click(within(await table()).getByRole('button', { name: 'Name' }));
  await waitFor(() => expect(screen.getAllByRole('row')[1]).toHaveTextContent('Drive motor MO-450'));
});

test('a row opens its panel, the panel leads to the page', async () => {
  const { user, address } = await open({ path: '/assets' });
  await user.click(await screen.findByText('cf-443'));
  const panel = await screen.findByRole('complementary', { name: 'Cooling fan CF-443' });
  expect(address()).toBe('/assets?open=asset-2');
  await user.click(await within(panel).findByRole('link', { name: 'Open asset' }));
  expect(await screen.findByRole('heading', { name: 'Cooling fan CF-443' })).toBeVisible();
});

test('the page of a machine shows charts, predictions and alarms', async () => {
  const { world } = await open({ path: '/assets/asset-0' });
  expect(await screen.findByRole('heading', { name: 'Booster pump BP-441' })).toBeVisible();
  const charts = await screen.findByRole('region', { name: 'Live readings' });
  expect(await within(charts).findByRole('figure', { name: 'Vibration RMS' })).toBeVisible();
  expect(await screen.findByText('No prediction yet')).toBeVisible();
  await waitFor(() => expect(world.predictionItems.listeners).toBe(1));
  const { makePrediction } = await import('@/testing/plant');
  world.predict(makePrediction(world.assets[0]!));
  const predictions = screen.getByRole('region', { name: 'Predictions' });
  expect(await within(predictions).findByRole('meter', { name: 'Cavitation' })).toHaveAttribute(
    'aria-valuenow',
    '87',
  );
  expect(within(predictions).getByText(/Check the suction pressure/)).toBeVisible();
  expect(
    within(screen.getByRole('region', { name: 'Alarms' })).getByRole('link', { name: 'Cavitation' }),
  ).toBeVisible();
});

test('the quantity of the charts is kept in the address', async () => {
  const { user, address } = await open({ path: '/assets/asset-0' });
  await user.click(await screen.findByRole('button', { name: 'Ultrasonic' }));
  expect(address()).toBe('/assets/asset-0?show=ultrasonic');
  expect(await screen.findByRole('figure', { name: 'Pump NDE' })).toBeVisible();
});

test('a machine that is not there is said to be so', async () => {
  await open({ path: '/assets/nobody' });
  expect(await screen.findByText('There is no such asset')).toBeVisible();
});

test('a new machine needs a valid code; errors of the server stand at their field', async () => {
  const { user, world, address } = await open({ path: '/assets/new' });
  world.userErrors.set('createAsset', [
    { field: 'input.code', message: 'This code is taken.', code: 'CONFLICT' },
  ]);
  await user.type(await screen.findByLabelText('Name'), 'Spare pump');
  await user.type(screen.getByLabelText('Code'), 'Spare Pump');
  await screen.findByRole('option', { name: 'Hill station' });
  await user.selectOptions(screen.getByLabelText('Site'), 'site-2');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('Use lower-case letters, digits, - and _ only.')).toBeVisible();
  await user.clear(screen.getByLabelText('Code'));
  await user.type(screen.getByLabelText('Code'), 'spare-1');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('This code is taken.')).toBeVisible();
  expect(screen.getByLabelText('Code')).toBeInvalid();
  world.userErrors.clear();
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(address()).toBe('/assets/asset-spare-1'));
});

test('who may not write is offered no new asset', async () => {
  await open({ path: '/assets', prepare: (world) => void (world.permissions = ['plant:read']) });
  await screen.findByText('12 machines');
  expect(screen.queryByRole('link', { name: 'New asset' })).toBeNull();
});

test.each(['/assets', '/assets/asset-0', '/assets/new'])('%s has no accessibility problems', async (path) => {
  const { baseElement } = await open({ path });
  await screen.findAllByText(/BP-441|New asset/);
  await screen.findByRole('heading', { level: 1 });
  expect(await problemsOf(baseElement)).toEqual([]);
});
