import type { CachePart } from '@/shared/graph/cache';
import type { AlarmStatus } from './documents';
import { acknowledgedStatus } from './status';

/** An acknowledgement shows at once and is taken back when the server refuses it. */
export const alarmCache: CachePart = {
  optimistic: {
    acknowledgeAlarm(args, cache) {
      const { id } = args.input as { id: string };
      const before = cache.resolve({ __typename: 'AlarmEvent', id }, 'status') as AlarmStatus | undefined;
      const now = new Date().toISOString();
      const status = acknowledgedStatus(before ?? 'OPEN');
      return {
        __typename: 'AlarmEventPayload',
        userErrors: [],
        alarm: {
          __typename: 'AlarmEvent',
          id,
          status,
          acknowledgedAt: now,
          resolvedAt: status === 'RESOLVED' ? now : null,
        },
      };
    },
  },
};
