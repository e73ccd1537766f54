import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { open } from '@/testing/render';

test('Arabic runs from right to left and asks the server in Arabic', async () => {
  const { world } = await open({ language: 'ar' });
  expect(await screen.findByRole('heading', { name: 'نظرة عامة' })).toBeVisible();
  expect(document.documentElement).toHaveAttribute('dir', 'rtl');
  expect(document.documentElement).toHaveAttribute('lang', 'ar');
  const asked = () => world.log.find((one) => one.name === 'Dashboard')?.headers.get('accept-language');
  await waitFor(() => expect(asked()).toBe('ar'));
});

test('the language can be changed without losing the page', async () => {
  const { user, address } = await open({ path: '/alarms?severity=CRITICAL' });
  await user.click(await screen.findByRole('button', { name: 'Language' }));
  await user.click(await screen.findByRole('menuitemradio', { name: 'العربية' }));
  expect(await screen.findByRole('heading', { name: 'الإنذارات' })).toBeVisible();
  expect(document.documentElement).toHaveAttribute('dir', 'rtl');
  expect(address()).toBe('/alarms?severity=CRITICAL');
});

test('the connection is shown, also when it is lost', async () => {
  const { connection } = await open();
  expect(await screen.findByRole('status', { name: 'Live' })).toBeVisible();
  connection.lost();
  expect(await screen.findByRole('status', { name: 'Reconnecting' })).toBeVisible();
});

test('every page has a link, and the current one says so', async () => {
  const { user } = await open();
  for (const name of ['Assets', 'Alarms', 'Rules', 'Overview']) {
    await user.click(await screen.findByRole('link', { name }));
    expect(await screen.findByRole('heading', { level: 1, name })).toBeVisible();
    expect(screen.getByRole('link', { name })).toHaveAttribute('aria-current', 'page');
  }
});

test('an unknown address is said to be so', async () => {
  await open({ path: '/nowhere' });
  expect(await screen.findByText('There is no such page')).toBeVisible();
});

test('a part of the overview that fails leaves the rest alive', async () => {
  await open({ prepare: (world) => void world.failures.set('Dashboard', 'INTERNAL') });
  expect((await screen.findAllByText('Something went wrong on the server')).length).toBeGreaterThan(0);
  expect(await screen.findByRole('link', { name: /Cavitation on Booster pump BP-441/ })).toBeVisible();
});

test('the overview has no accessibility problems', async () => {
  const { baseElement } = await open();
  await waitFor(() => expect(screen.getAllByRole('link', { name: /BP-441/ }).length).toBeGreaterThan(0));
  expect(await problemsOf(baseElement)).toEqual([]);
});
