import { screen, waitFor } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { open } from '@/testing/render';

let network: { mockRestore: () => void } | undefined;
afterEach(() => network?.mockRestore());

function setNetwork(there: boolean) {
  network?.mockRestore();
  network = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(there);
  window.dispatchEvent(new Event(there ? 'online' : 'offline'));
}

test('a lost network shows at once, and its return brings live data back at once', async () => {
  const { world, connection } = await open();
  await screen.findByRole('status', { name: 'Live' });
  await waitFor(() => expect(world.alarmItems.listeners).toBe(1));
  setNetwork(false);
  expect(connection.getState().phase).toBe('offline');
  expect(await screen.findByText(/This device is offline/)).toBeVisible();
  // The old connection is given up, not kept until a ping fails.
  await waitFor(() => expect(world.alarmItems.listeners).toBe(0));

  setNetwork(true);
  expect(connection.getState().phase).toBe('reconnecting');
  expect(await screen.findByRole('status', { name: 'Live' })).toBeVisible();
  await waitFor(() => expect(world.alarmItems.listeners).toBe(1));
  expect(screen.queryByText(/This device is offline/)).toBeNull();
});

test('tries without a network do not take the word back', async () => {
  const { connection } = await open();
  await screen.findByRole('status', { name: 'Live' });
  setNetwork(false);
  connection.connecting();
  expect(connection.getState().phase).toBe('offline');
});
