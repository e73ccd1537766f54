import { screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { makePrediction } from '@/testing/plant';
import { open } from '@/testing/render';

vi.mock('uplot', () => import('@/testing/uplot'));

const question = () => screen.findByRole('region', { name: 'Was this right?' });

test('an alarm’s prediction is called right, or no fault', async () => {
  const { user, world, baseElement } = await open({ path: '/alarms' });
  const of = world.alarms[0]!.prediction!.id;
  await user.click(await screen.findByText('Booster pump BP-441'));
  const asked = await question();
  await user.click(within(asked).getByRole('button', { name: 'Right' }));
  expect(await screen.findByText('Thank you. The models learn from it.')).toBeVisible();
  expect(within(asked).getByRole('button', { name: 'Right' })).toHaveAttribute('aria-pressed', 'true');
  expect(world.said.get(of)).toEqual({ predictionId: of, type: 'CORRECT' });
  await user.click(within(asked).getByRole('button', { name: 'No fault' }));
  await waitFor(() => expect(world.said.get(of)?.type).toBe('FALSE_POSITIVE'));
  expect(await problemsOf(baseElement)).toEqual([]);
});

test('a correction is of the prediction that was shown when it began', async () => {
  const { user, world } = await open({
    path: '/assets/asset-0',
    prepare: (it) => void it.predictionsMade.push(makePrediction(it.assets[0]!)),
  });
  const of = world.predictionsMade[0]!.id;
  const asked = await question();
  await user.click(within(asked).getByRole('button', { name: 'Another fault' }));
  const which = await within(asked).findByLabelText('What was it?');
  await within(which).findByRole('option', { name: 'Rotor unbalance' });
  expect(within(which).queryByRole('option', { name: 'Cavitation' })).toBeNull();
  await waitFor(() => expect(world.predictionItems.listeners).toBeGreaterThan(0));
  world.predict(makePrediction(world.assets[0]!, 'bearing_inner_race_defect'));
  expect((await screen.findAllByText('Bearing inner race defect'))[0]).toBeVisible();
  await user.selectOptions(which, 'Rotor unbalance');
  await user.click(within(asked).getByRole('button', { name: 'Send' }));
  await waitFor(() =>
    expect(world.said.get(of)).toEqual({ predictionId: of, type: 'CORRECTION', code: 'rotor_unbalance' }),
  );
  expect(world.said.size).toBe(1);
});

test('a refusal is told, and nothing is pressed', async () => {
  const { user, world } = await open({ path: '/alarms' });
  world.userErrors.set('submitFeedback', [{ field: null, message: 'It is gone.', code: 'NOT_FOUND' }]);
  await user.click(await screen.findByText('Booster pump BP-441'));
  const asked = await question();
  await user.click(within(asked).getByRole('button', { name: 'Right' }));
  expect(await screen.findByText('Not stored: It is gone.')).toBeVisible();
  expect(within(asked).getByRole('button', { name: 'Right' })).toHaveAttribute('aria-pressed', 'false');
});

test('nobody is asked about an alarm that no model raised', async () => {
  const { user, world } = await open({ path: '/alarms' });
  await user.click(await screen.findByText('Drive motor MO-442'));
  await screen.findByText('What happened');
  expect(screen.queryByRole('region', { name: 'Was this right?' })).toBeNull();
  expect(world.said.size).toBe(0);
});

test('a viewer is not asked', async () => {
  const { user } = await open({
    path: '/alarms',
    prepare: (world) => void (world.permissions = ['alarms:read']),
  });
  await user.click(await screen.findByText('Booster pump BP-441'));
  await screen.findByText('What happened');
  expect(screen.queryByRole('region', { name: 'Was this right?' })).toBeNull();
});
