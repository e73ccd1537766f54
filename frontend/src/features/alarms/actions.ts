import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import type { OperationResult } from '@urql/core';
import { kindOf } from '@/shared/graph/errors';
import { notify } from '@/shared/ui/notices';
import { acknowledgeDocument, resolveDocument } from './documents';

interface Payload {
  userErrors: { message: string }[];
}

/** What a person does with alarms; each answers whether it went well and says so. */
export function useAlarmActions() {
  const client = useClient();
  const { t } = useTranslation(['alarms', 'common']);

  function failure<Data>(result: OperationResult<Data>, payload: (data: Data) => Payload): string | null {
    if (result.error) return t(`common:error.${kindOf(result.error)}.action`);
    return result.data ? (payload(result.data).userErrors[0]?.message ?? null) : null;
  }

  async function acknowledge(ids: string[]): Promise<boolean> {
    const results = await Promise.all(
      ids.map((id) => client.mutation(acknowledgeDocument, { input: { id } }).toPromise()),
    );
    const failures = results
      .map((result) => failure(result, (data) => data.acknowledgeAlarm))
      .filter((message) => message !== null);
    if (failures.length > 0) {
      notify({
        tone: 'error',
        text: t('acknowledge.failed', { count: failures.length, reason: failures[0] }),
      });
      return false;
    }
    notify({ tone: 'success', text: t('acknowledge.done', { count: ids.length }) });
    return true;
  }

  /** Answers null when it went well, else what to mend. */
  async function resolve(id: string, correctionPlan: string): Promise<string | null> {
    const result = await client.mutation(resolveDocument, { input: { id, correctionPlan } }).toPromise();
    const message = failure(result, (data) => data.resolveAlarm);
    if (message === null) notify({ tone: 'success', text: t('resolve.done') });
    return message;
  }

  return { acknowledge, resolve };
}
