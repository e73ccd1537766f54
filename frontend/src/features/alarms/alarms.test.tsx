import { screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { makeAlarm, makeExplanation } from '@/testing/plant';
import { open } from '@/testing/render';

const feed = () => screen.findByRole('list', { name: 'Active alarms' });

test('a new alarm appears in the feed by itself and is read out', async () => {
  const { world } = await open();
  await within(await feed()).findByText(/Cavitation on Booster pump BP-441/);
  await waitFor(() => expect(world.alarmItems.listeners).toBe(1));
  world.raise(makeAlarm(world.assets[3]!, { severity: 'CRITICAL', triggeredAt: '2026-01-02T14:02:00' }));
  const link = await within(await feed()).findByRole('link', { name: /Air compressor AC-444/ });
  expect(link).toHaveTextContent(/^Cavitation on Air compressor AC-444, 87 %, since .*14:02$/);
  expect(await screen.findByRole('alert')).toHaveTextContent('Air compressor AC-444');
  expect(await within(screen.getByRole('banner')).findByRole('link', { name: 'Critical: 2' })).toBeVisible();
});

test('a resolved alarm leaves the feed', async () => {
  const { world } = await open();
  await within(await feed()).findByText(/BP-441/);
  world.change(Object.assign(world.alarms[0]!, { status: 'RESOLVED' }));
  await waitFor(() => expect(screen.queryByText(/Cavitation on Booster pump BP-441/)).toBeNull());
});

test('the list follows the stream without a reload', async () => {
  const { world } = await open({ path: '/alarms' });
  expect(await screen.findByText('3 active alarms')).toBeVisible();
  await waitFor(() => expect(world.alarmItems.listeners).toBe(1));
  world.raise(makeAlarm(world.assets[5]!));
  expect(await screen.findByText('4 active alarms')).toBeVisible();
});

test('filters are kept in the address', async () => {
  const { user, address, world } = await open({ path: '/alarms' });
  await user.click(await screen.findByRole('button', { name: 'Severity' }));
  await user.click(await screen.findByRole('menuitemcheckbox', { name: /Critical/ }));
  expect(address()).toBe('/alarms?severity=CRITICAL');
  expect(await screen.findByText('1 active alarm')).toBeVisible();
  expect(world.log.at(-1)?.variables.filter).toEqual({ activeOnly: true, severities: ['CRITICAL'] });
});

test('an acknowledgement shows at once and stays', async () => {
  const { user, world } = await open({ path: '/alarms' });
  await user.click(await screen.findByText('Booster pump BP-441'));
  const panel = await screen.findByRole('complementary', { name: 'Cavitation' });
  await user.click(await within(panel).findByRole('button', { name: 'Acknowledge' }));
  await waitFor(() => expect(within(panel).queryByRole('button', { name: 'Acknowledge' })).toBeNull());
  await waitFor(() => expect(world.alarms[0]!.status).toBe('ACKNOWLEDGED'));
  expect(await within(panel).findByText(/Mira Halvorsen/)).toBeVisible();
});

test('a refused acknowledgement is taken back with a word', async () => {
  const { user, world } = await open({ path: '/alarms' });
  world.userErrors.set('acknowledgeAlarm', [
    { field: null, message: 'Under maintenance.', code: 'CONFLICT' },
  ]);
  await user.click(await screen.findByText('Booster pump BP-441'));
  const panel = await screen.findByRole('complementary', { name: 'Cavitation' });
  await user.click(await within(panel).findByRole('button', { name: 'Acknowledge' }));
  expect(await screen.findByText('Not acknowledged: Under maintenance.')).toBeVisible();
  expect(await within(panel).findByRole('button', { name: 'Acknowledge' })).toBeEnabled();
  expect(world.alarms[0]!.status).toBe('OPEN');
});

test('many are acknowledged together; those that were seen cannot be chosen', async () => {
  const { user, world } = await open({ path: '/alarms' });
  await user.click(await screen.findByRole('checkbox', { name: 'Select all' }));
  expect(screen.getByRole('checkbox', { name: /High vibration on Drive motor/ })).toBeDisabled();
  await user.click(screen.getByRole('button', { name: 'Acknowledge 2 selected' }));
  expect(await screen.findByText('2 alarms acknowledged')).toBeVisible();
  expect(world.alarms.map((alarm) => alarm.status)).toEqual(['ACKNOWLEDGED', 'ACKNOWLEDGED', 'RESOLVED']);
});

test('resolving needs a correction plan', async () => {
  const { user, world } = await open({ path: '/alarms' });
  await user.click(await screen.findByText('Booster pump BP-441'));
  await user.click(await screen.findByRole('button', { name: 'Resolve' }));
  const dialog = await screen.findByRole('dialog', { name: 'Resolve alarm' });
  await user.click(within(dialog).getByRole('button', { name: 'Resolve' }));
  expect(within(dialog).getByText('Say what was done.')).toBeVisible();
  await user.type(within(dialog).getByLabelText(/Correction plan/), 'Strainer cleaned.');
  await user.click(within(dialog).getByRole('button', { name: 'Resolve' }));
  await waitFor(() =>
    expect(world.alarms[0]).toMatchObject({ status: 'RESOLVED', correctionPlan: 'Strainer cleaned.' }),
  );
});

test('who may only look is offered nothing else', async () => {
  const { user } = await open({
    path: '/alarms',
    prepare: (world) => void (world.permissions = ['alarms:read']),
  });
  await user.click(await screen.findByText('Booster pump BP-441'));
  expect(await screen.findByText(/Your role may look at alarms/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Acknowledge' })).toBeNull();
  expect(screen.queryByRole('button', { name: 'Resolve' })).toBeNull();
  expect(screen.queryByRole('checkbox')).toBeNull();
});

test('a failed list says so and can be asked again', async () => {
  const { user, world } = await open({
    path: '/alarms',
    prepare: (it) => void it.failures.set('AlarmList', 'INTERNAL'),
  });
  const error = await screen.findByText('Something went wrong on the server');
  expect(error).toBeVisible();
  expect(screen.getByText(/req-1/)).toBeVisible();
  world.failures.clear();
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('3 active alarms')).toBeVisible();
});

test('on a phone a row tells alarm, machine, severity and state', async () => {
  const wide = window.matchMedia.bind(window);
  vi.stubGlobal('matchMedia', (query: string) => ({ ...wide(query), matches: /max-width/.test(query) }));
  try {
    const { user, baseElement } = await open({ path: '/alarms' });
    const row = await screen.findByRole('row', { name: /BP-441/ });
    expect(row).toHaveTextContent(/Cavitation.*Booster pump BP-441 · Critical · Open/);
    expect(screen.getAllByRole('columnheader')).toHaveLength(2);
    expect(screen.queryByRole('button', { name: 'Choose columns' })).toBeNull();
    expect(await problemsOf(baseElement)).toEqual([]);
    await user.click(row);
    expect(await screen.findByRole('dialog', { name: 'Cavitation' })).toBeVisible();
  } finally {
    vi.stubGlobal('matchMedia', wide);
  }
});

test('the list and its panel have no accessibility problems', async () => {
  const { user, baseElement } = await open({ path: '/alarms' });
  await user.click(await screen.findByText('Booster pump BP-441'));
  await screen.findByText('What happened');
  expect(await problemsOf(baseElement)).toEqual([]);
});

test('the panel tells what spoke for the fault and what against', async () => {
  const { user, baseElement } = await open({
    path: '/alarms',
    prepare: (world) =>
      void Object.assign(world.alarms[0]!, { explanation: makeExplanation(), explanationStatus: 'READY' }),
  });
  await user.click(await screen.findByText('Booster pump BP-441'));
  const why = await screen.findByRole('region', { name: 'Why' });
  expect(within(why).getByText(/What spoke for “Cavitation”/)).toBeVisible();
  const lines = within(why).getAllByRole('listitem');
  expect(lines.map((line) => line.textContent)).toEqual([
    'ultrasound, pump, drive end: mean · 41.2\u00a0dBµV+5.2',
    'vibration 2–100 Hz, motor, drive end: root mean square · not measured−1.2',
    'All other features together−0.4',
  ]);
  expect(await problemsOf(baseElement)).toEqual([]);
});

test('an explanation that is being worked out comes by itself', async () => {
  const { user, world } = await open({
    path: '/alarms',
    prepare: (it) => void Object.assign(it.alarms[0]!, { explanationStatus: 'PENDING' }),
  });
  await user.click(await screen.findByText('Booster pump BP-441'));
  expect(await screen.findByText(/worked out within seconds/)).toBeVisible();
  Object.assign(world.alarms[0]!, { explanation: makeExplanation(), explanationStatus: 'READY' });
  expect(await screen.findByText(/What spoke for “Cavitation”/)).toBeVisible();
});

test('an explanation that cannot be had says so', async () => {
  const { user } = await open({
    path: '/alarms',
    prepare: (world) => void Object.assign(world.alarms[0]!, { explanationStatus: 'UNAVAILABLE' }),
  });
  await user.click(await screen.findByText('Booster pump BP-441'));
  expect(await screen.findByText(/can no longer be worked out/)).toBeVisible();
});

test('an alarm that no prediction raised has no explanation', async () => {
  const { user } = await open({ path: '/alarms' });
  await user.click(await screen.findByText('Booster pump BP-441'));
  await screen.findByText('What happened');
  expect(screen.queryByRole('region', { name: 'Why' })).toBeNull();
});
