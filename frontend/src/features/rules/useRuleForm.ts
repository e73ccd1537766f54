import { zodResolver } from '@hookform/resolvers/zod';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useClient } from 'urql';
import { showUserErrors } from '@/shared/forms/userErrors';
import { kindOf } from '@/shared/graph/errors';
import { notify } from '@/shared/ui/notices';
import { createRuleDocument, ruleDocument, updateRuleDocument, type Rule } from './documents';
import { ruleFieldNames, ruleSchema, typedFrom, type RuleInput, type RuleTyped } from './form';

/** The state of the form of a rule, saving, and the way out of a conflict of versions. */
export function useRuleForm(rule: Rule | null) {
  const { t } = useTranslation(['rules', 'common']);
  const client = useClient();
  const navigate = useNavigate();
  const [version, setVersion] = useState(rule?.version ?? 0);
  const [stale, setStale] = useState(false);
  const form = useForm<RuleTyped, unknown, RuleInput>({
    defaultValues: typedFrom(rule),
    resolver: zodResolver(ruleSchema),
  });
  const { setError } = form;

  const save = form.handleSubmit(async (input) => {
    setStale(false);
    const result = rule
      ? await client
          .mutation(updateRuleDocument, { input: { id: rule.id, expectedVersion: version, ...input } })
          .toPromise()
      : await client.mutation(createRuleDocument, { input }).toPromise();
    if (result.error) {
      setError('root.server', {
        message: t('failed', { reason: t(`common:error.${kindOf(result.error)}.action`) }),
      });
      return;
    }
    const payload =
      result.data &&
      ('updateAlarmRule' in result.data ? result.data.updateAlarmRule : result.data.createAlarmRule);
    if (!payload?.rule) {
      const errors = (payload?.userErrors ?? []).map((one) => ({
        ...one,
        field: one.field?.replace(/assetId$/, 'asset') ?? null,
      }));
      setStale(showUserErrors<RuleTyped>(errors, ruleFieldNames, setError).stale);
      return;
    }
    notify({ tone: 'success', text: t('saved', { name: payload.rule.name }) });
    void navigate('/rules');
  });

  async function loadNewer(): Promise<void> {
    if (!rule) return;
    const { data } = await client
      .query(ruleDocument, { id: rule.id }, { requestPolicy: 'network-only' })
      .toPromise();
    if (data?.node?.__typename !== 'AlarmRule') return;
    form.reset(typedFrom(data.node), { keepDirtyValues: true });
    setVersion(data.node.version);
    setStale(false);
  }

  return { ...form, save, stale, loadNewer };
}
