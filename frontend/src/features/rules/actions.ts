import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import type { CombinedError } from '@urql/core';
import { kindOf } from '@/shared/graph/errors';
import { notify } from '@/shared/ui/notices';
import { deleteRuleDocument, restoreRuleDocument, updateRuleDocument, type Rule } from './documents';

/** What a person does with a rule from the list; each says how it went. */
export function useRuleActions() {
  const client = useClient();
  const { t } = useTranslation(['rules', 'common']);

  function failed(error: CombinedError | undefined, userErrors: { message: string }[] | undefined): boolean {
    const reason = error ? t(`common:error.${kindOf(error)}.action`) : userErrors?.[0]?.message;
    if (!reason) return false;
    notify({ tone: 'error', text: t('failed', { reason }) });
    return true;
  }

  async function restore(rule: Rule): Promise<void> {
    const { data, error } = await client
      .mutation(restoreRuleDocument, { input: { id: rule.id } })
      .toPromise();
    if (failed(error, data?.restoreAlarmRule.userErrors)) return;
    notify({ tone: 'success', text: t('restored', { name: rule.name }) });
  }

  return {
    remove: async (rule: Rule): Promise<void> => {
      const { data, error } = await client
        .mutation(deleteRuleDocument, { input: { id: rule.id } })
        .toPromise();
      if (failed(error, data?.deleteAlarmRule.userErrors)) return;
      notify({
        tone: 'info',
        text: t('deleted', { name: rule.name }),
        action: { label: t('common:undo'), run: () => void restore(rule) },
      });
    },
    setActive: async (rule: Rule, isActive: boolean): Promise<void> => {
      const input = { id: rule.id, expectedVersion: rule.version, isActive };
      const { data, error } = await client.mutation(updateRuleDocument, { input }).toPromise();
      if (failed(error, data?.updateAlarmRule.userErrors)) return;
      notify({ tone: 'success', text: t(isActive ? 'activated' : 'deactivated', { name: rule.name }) });
    },
  };
}
