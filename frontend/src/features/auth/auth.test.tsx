import { screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { open } from '@/testing/render';

const signedOut = { prepare: (world: { signedIn: boolean }) => void (world.signedIn = false) };

test('signs in and shows the overview', async () => {
  const { user, world } = await open(signedOut);
  await user.type(await screen.findByLabelText('Email'), 'mira@example.com');
  await user.type(screen.getByLabelText('Password'), 'correct horse');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
  const login = world.log.find((one) => one.name === 'Login');
  expect(login?.variables.input).toMatchObject({ useCookie: true });
  expect(JSON.stringify(localStorage)).not.toContain('access-');
});

test('says what is wrong and keeps the address', async () => {
  const { user } = await open(signedOut);
  await user.type(await screen.findByLabelText('Email'), 'mira@example.com');
  await user.type(screen.getByLabelText('Password'), 'wrong');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('The address or the password is wrong.');
  expect(screen.getByLabelText('Email')).toHaveValue('mira@example.com');
});

test('asks for what is missing at its field', async () => {
  const { user, world } = await open(signedOut);
  await user.click(await screen.findByRole('button', { name: 'Sign in' }));
  expect(screen.getByLabelText('Email')).toHaveAccessibleDescription('This is needed.');
  expect(world.log.some((one) => one.name === 'Login')).toBe(false);
});

test('restores the session of the cookie', async () => {
  const { world } = await open();
  expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
  expect(world.log.filter((one) => one.name === 'RefreshToken')).toHaveLength(1);
});

test('renews an expired token once for all that wait, and nobody notices', async () => {
  const { user, world } = await open();
  await screen.findByRole('heading', { name: 'Overview' });
  world.expireTokens();
  await user.click(screen.getByRole('link', { name: 'Assets' }));
  expect(await screen.findByText('12 machines')).toBeVisible();
  expect(world.log.filter((one) => one.name === 'RefreshToken')).toHaveLength(2);
});

test('asks for the password over a form when the session is over, then saves it', async () => {
  const { user, world } = await open({ path: '/rules/new' });
  await user.type(await screen.findByLabelText('Name'), 'Hot bearing');
  await screen.findByRole('option', { name: 'Bearing temperature' });
  await user.selectOptions(screen.getByLabelText('Parameter'), 'bearing_temp');
  await user.type(screen.getByLabelText('Threshold'), '85');
  world.expireTokens();
  world.signedIn = false;
  await user.click(screen.getByRole('button', { name: 'Save' }));

  const dialog = await screen.findByRole('dialog', { name: 'Your session has ended' });
  expect(world.rules.map((rule) => rule.name)).not.toContain('Hot bearing');
  await user.type(within(dialog).getByLabelText('Password'), 'correct horse');
  await user.click(within(dialog).getByRole('button', { name: 'Sign in' }));
  await waitFor(() => expect(world.rules.map((rule) => rule.name)).toContain('Hot bearing'));
});

test('signs out', async () => {
  const { user, session } = await open();
  await user.click(await screen.findByRole('button', { name: 'Account' }));
  await user.click(await screen.findByRole('menuitem', { name: 'Sign out' }));
  expect(await screen.findByLabelText('Password')).toBeVisible();
  expect(session.accessToken()).toBeNull();
});

test('the sign-in page has no accessibility problems', async () => {
  const { container } = await open(signedOut);
  await screen.findByLabelText('Email');
  expect(await problemsOf(container)).toEqual([]);
});
