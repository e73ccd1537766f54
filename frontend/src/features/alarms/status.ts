import type { AlarmStatus } from './documents';

export const statuses: readonly AlarmStatus[] = ['OPEN', 'ACKNOWLEDGED', 'CLEARED', 'RESOLVED'];

/** Whether nobody has seen it yet; only then it can be acknowledged. */
export function isUnseen(status: AlarmStatus): boolean {
  return status === 'OPEN' || status === 'CLEARED';
}

export function isActive(status: AlarmStatus): boolean {
  return status !== 'RESOLVED';
}

/** What acknowledging leads to: a condition that is gone already closes the alarm. */
export function acknowledgedStatus(status: AlarmStatus): AlarmStatus {
  if (status === 'OPEN') return 'ACKNOWLEDGED';
  if (status === 'CLEARED') return 'RESOLVED';
  return status;
}
