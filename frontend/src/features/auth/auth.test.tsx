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

test('an invitation becomes an account', async () => {
  const { user, world, address } = await open({ ...signedOut, path: '/accept-invite#token=letter-1' });
  await user.type(await screen.findByLabelText('New password'), 'short');
  await user.click(screen.getByRole('button', { name: 'Join' }));
  expect(screen.getByLabelText('Full name')).toHaveAccessibleDescription('This is needed.');
  await user.type(screen.getByLabelText('Full name'), ' Nia Berg ');
  await user.click(screen.getByRole('button', { name: 'Join' }));
  await waitFor(() =>
    expect(screen.getByLabelText('New password')).toHaveAccessibleDescription(
      'A password has 10-256 characters.',
    ),
  );
  await user.type(screen.getByLabelText('New password'), ' but longer');
  await user.click(screen.getByRole('button', { name: 'Join' }));
  expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
  expect(address()).toBe('/');
  const sent = world.log.findLast((one) => one.name === 'AcceptInvite');
  expect(sent?.variables.input).toEqual({
    token: 'letter-1',
    fullName: 'Nia Berg',
    password: 'short but longer',
    useCookie: true,
  });
});

test('a used link says so, a broken one asks for nothing', async () => {
  const { user, unmount } = await open({ ...signedOut, path: '/reset-password#token=letter-0' });
  await user.type(await screen.findByLabelText('New password'), 'correct horse');
  await user.click(screen.getByRole('button', { name: 'Set the password' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('The link has been used.');
  unmount();
  await open({ ...signedOut, path: '/welcome' });
  expect(await screen.findByRole('alert')).toHaveTextContent('The link is incomplete.');
  expect(screen.queryByLabelText('New password')).toBeNull();
});

test('who has forgotten the password asks for a letter', async () => {
  const { user, world } = await open(signedOut);
  await user.click(await screen.findByRole('link', { name: 'Forgotten your password?' }));
  await user.type(await screen.findByLabelText('Email'), 'mira@example.com');
  await user.click(screen.getByRole('button', { name: 'Send the link' }));
  expect(await screen.findByText(/a letter with a link is on its way/)).toBeVisible();
  expect(world.log.find((one) => one.name === 'RequestPasswordReset')?.variables.input).toEqual({
    email: 'mira@example.com',
  });
});

test('a link of a letter waits until whoever is signed in has left', async () => {
  const { user } = await open({ path: '/welcome#token=letter-1' });
  await user.click(await screen.findByRole('button', { name: 'Sign out' }));
  expect(await screen.findByLabelText('New password')).toBeVisible();
});

test('the page of an invitation has no accessibility problems', async () => {
  const { container } = await open({ ...signedOut, path: '/accept-invite#token=letter-1' });
  await screen.findByLabelText('Full name');
  expect(await problemsOf(container)).toEqual([]);
});

test('the sign-in page has no accessibility problems', async () => {
  const { container } = await open(signedOut);
  await screen.findByLabelText('Email');
  expect(await problemsOf(container)).toEqual([]);
});
