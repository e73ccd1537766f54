import { act, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { problemsOf } from '@/testing/axe';
import { open } from '@/testing/render';
import { EVERY } from './useSystemStatus';

afterEach(() => vi.useRealTimers());

const noModel = {
  name: 'model',
  state: 'DOWN',
  message: 'No fault model can be used.',
  since: '2026-03-01T06:05:00.000Z',
};

const banner = () => screen.findByRole('status', { name: 'State of the system' });

test('nothing is said while all parts work', async () => {
  const { world } = await open();
  const region = await banner();
  await waitFor(() => expect(world.log.some((one) => one.name === 'SystemStatus')).toBe(true));
  expect(region).toBeEmptyDOMElement();
});

test('a part that is down is told with what that means, in the words of the server', async () => {
  const { baseElement } = await open({ prepare: (world) => void world.down.push(noModel) });
  const region = await banner();
  expect(await within(region).findByText(/^No fault model can be used\. Since .*05/)).toBeVisible();
  expect(await problemsOf(baseElement)).toEqual([]);
});

test('what has changed is asked for while the page is looked at', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { world } = await open();
  const region = await banner();
  const asked = () => world.log.filter((one) => one.name === 'SystemStatus').length;
  await waitFor(() => expect(asked()).toBe(1));
  world.down.push(noModel);
  act(() => void vi.advanceTimersByTime(EVERY));
  expect(await within(region).findByText(/No fault model/)).toBeVisible();
  expect(asked()).toBe(2);

  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  act(() => void vi.advanceTimersByTime(5 * EVERY));
  expect(asked()).toBe(2);

  world.down.length = 0;
  visibility.mockRestore();
  act(() => void document.dispatchEvent(new Event('visibilitychange')));
  await waitFor(() => expect(region).toBeEmptyDOMElement());
});

test('a status that cannot be read says nothing, and nothing else fails', async () => {
  await open({ prepare: (world) => void world.failures.set('SystemStatus', 'INTERNAL') });
  expect(await screen.findByRole('link', { name: /Cavitation on Booster pump BP-441/ })).toBeVisible();
  expect(await banner()).toBeEmptyDOMElement();
});
