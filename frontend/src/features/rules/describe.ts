import { useTranslation } from 'react-i18next';
import { assetName } from '@/shared/domain/assetName';
import { isProbability, useCatalogue } from '@/shared/domain/parameters';
import { useFormat } from '@/shared/format/react';
import type { Rule } from './documents';
import { operatorSigns } from './vocabulary';

/** Says a rule in words: its condition, and what it watches. */
export function useRuleWords() {
  const { t } = useTranslation(['rules', 'common']);
  const format = useFormat();
  const { labelOf, unitOf } = useCatalogue();
  const limit = (rule: Pick<Rule, 'parameter' | 'threshold'>) =>
    isProbability(rule.parameter)
      ? format.percent(rule.threshold)
      : format.measure(rule.threshold, unitOf(rule.parameter));
  return {
    limit,
    condition: (rule: Rule) => `${labelOf(rule.parameter)} ${operatorSigns[rule.operator]} ${limit(rule)}`,
    scope: (rule: Rule) => {
      if (rule.sensor) return rule.sensor.code;
      if (rule.asset) return assetName(rule.asset);
      const parts = [
        rule.assetType ? t(`common:assetType.${rule.assetType}`) : null,
        rule.site ? rule.site.name : null,
      ].filter((part) => part !== null);
      return parts.length > 0 ? parts.join(' · ') : t('scope.all');
    },
  };
}
