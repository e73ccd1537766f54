import { screen, waitFor } from '@testing-library/react';
import { expect, test } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { open } from '@/testing/render';

test('an empty form says at each field what is missing', async () => {
  const { user, world } = await open({ path: '/rules/new' });
  await user.click(await screen.findByRole('button', { name: 'Save' }));
  expect(await screen.findByText('3 fields need your attention.')).toBeVisible();
  for (const name of ['Name', 'Parameter', 'Threshold']) {
    expect(screen.getByLabelText(name)).toHaveAccessibleDescription('This is needed.');
  }
  expect(world.log.some((one) => one.name === 'CreateAlarmRule')).toBe(false);
});

test('what the server refuses stands at its field', async () => {
  const { user, world } = await open({ path: '/rules/new' });
  world.userErrors.set('createAlarmRule', [
    { field: 'input.threshold', message: 'Above what the sensor can measure.', code: 'BAD_USER_INPUT' },
  ]);
  await user.type(await screen.findByLabelText('Name'), 'Too high');
  await screen.findByRole('option', { name: 'Vibration RMS' });
  await user.selectOptions(screen.getByLabelText('Parameter'), 'vibration_rms');
  await user.type(screen.getByLabelText('Threshold'), '7,5');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('Above what the sensor can measure.')).toBeVisible();
  expect(screen.getByLabelText('Threshold')).toBeInvalid();
  const sent = world.log.find((one) => one.name === 'CreateAlarmRule');
  expect(sent?.variables.input).toMatchObject({ threshold: 7.5, parameter: 'vibration_rms', operator: 'GT' });
});

test('a saved rule appears in the list', async () => {
  const { user } = await open({ path: '/rules' });
  await user.click(await screen.findByRole('link', { name: 'New rule' }));
  await user.type(await screen.findByLabelText('Name'), 'Hot bearing');
  await screen.findByRole('option', { name: 'Bearing temperature' });
  await user.selectOptions(screen.getByLabelText('Parameter'), 'bearing_temp');
  await user.selectOptions(screen.getByLabelText('Operator'), 'GTE');
  await user.type(screen.getByLabelText('Threshold'), '85');
  await user.selectOptions(screen.getByLabelText('Severity'), 'CRITICAL');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByRole('link', { name: 'Hot bearing' })).toBeVisible();
  expect(screen.getByText(/Bearing temperature ≥ 85\s°C/)).toBeVisible();
});

test('a rule that somebody else changed keeps what was typed', async () => {
  const { user, world } = await open({ path: '/rules' });
  const rule = world.rules[0]!;
  await user.click(await screen.findByRole('link', { name: 'High vibration' }));
  const threshold = await screen.findByLabelText('Threshold');
  await user.clear(threshold);
  await user.type(threshold, '8');
  Object.assign(rule, { version: 2, name: 'High vibration (group 2)' });
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await user.click(await screen.findByRole('button', { name: 'Load their version' }));
  await waitFor(() => expect(screen.getByLabelText('Name')).toHaveValue('High vibration (group 2)'));
  expect(screen.getByLabelText('Threshold')).toHaveValue('8');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() =>
    expect(rule).toMatchObject({ threshold: 8, version: 3, name: 'High vibration (group 2)' }),
  );
});

test('a deleted rule can be brought back', async () => {
  const { user } = await open({ path: '/rules' });
  await user.click(await screen.findByRole('button', { name: 'Delete High vibration' }));
  await waitFor(() => expect(screen.queryByRole('link', { name: 'High vibration' })).toBeNull());
  await user.click(await screen.findByRole('button', { name: 'Undo' }));
  expect(await screen.findByRole('link', { name: 'High vibration' })).toBeVisible();
});

test('a rule is switched off in the list', async () => {
  const { user, world } = await open({ path: '/rules' });
  await user.click(await screen.findByRole('switch', { name: 'High vibration is active' }));
  await waitFor(() => expect(world.rules[0]).toMatchObject({ isActive: false, version: 2 }));
  expect(screen.getByRole('switch', { name: 'High vibration is active' })).not.toBeChecked();
});

test('who may not write sees the rules and no more', async () => {
  await open({ path: '/rules', prepare: (world) => void (world.permissions = ['rules:read']) });
  expect(await screen.findByText('High vibration')).toBeVisible();
  expect(screen.queryByRole('link', { name: 'New rule' })).toBeNull();
  expect(screen.queryByRole('switch')).toBeNull();
  expect(screen.queryByRole('button', { name: /Delete/ })).toBeNull();
});

test.each(['/rules', '/rules/new'])('%s has no accessibility problems', async (path) => {
  const { baseElement } = await open({ path });
  await (path === '/rules' ? screen.findByText('High vibration') : screen.findByLabelText('Severity'));
  expect(await problemsOf(baseElement)).toEqual([]);
});

test('seconds are named in the language of the person', async () => {
  await open({ path: '/rules/new', language: 'ar' });
  const delay = await screen.findByLabelText('تأخير الإصدار');
  expect(delay.parentElement).toHaveTextContent(/^ث/);
});

test('what is said of machines is compared in its own unit', async () => {
  const { user, world } = await open({ path: '/rules/new' });
  await user.type(await screen.findByLabelText('Name'), 'Unwell');
  await user.selectOptions(screen.getByLabelText('Parameter'), 'health_score');
  await user.selectOptions(screen.getByLabelText('Operator'), 'LT');
  await user.type(screen.getByLabelText('Threshold'), '120');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('Enter a number between 0 and 100.')).toBeVisible();
  await user.clear(screen.getByLabelText('Threshold'));
  await user.type(screen.getByLabelText('Threshold'), '50');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/Health of the machine < 50\sof 100/)).toBeVisible();
  await user.click(screen.getByRole('link', { name: 'New rule' }));
  await user.type(await screen.findByLabelText('Name'), 'Will fail');
  await user.selectOptions(screen.getByLabelText('Parameter'), 'failure_prob_30d');
  await user.type(screen.getByLabelText('Threshold'), '0.5');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/Probability of failure within 30 days > 50\s%/)).toBeVisible();
  expect(world.log.findLast((one) => one.name === 'CreateAlarmRule')?.variables.input).toMatchObject({
    parameter: 'failure_prob_30d',
    threshold: 0.5,
  });
});
