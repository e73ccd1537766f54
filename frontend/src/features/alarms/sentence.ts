import { useTranslation } from 'react-i18next';
import { assetName } from '@/shared/domain/assetName';
import { isProbability, useCatalogue } from '@/shared/domain/parameters';
import { useFormat } from '@/shared/format/react';
import type { Alarm } from './documents';

/** The fault that was recognised, else the rule that was broken. */
export function subjectOf(alarm: Pick<Alarm, 'faultLabel' | 'ruleName'>): string {
  return alarm.faultLabel ?? alarm.ruleName;
}

/** How sure or how much: the probability of a fault, else the value that broke the rule. */
export function useCertainty(): (alarm: Alarm) => string {
  const format = useFormat();
  const { unitOf } = useCatalogue();
  return (alarm) => {
    const probability = alarm.prediction?.probability;
    if (alarm.faultCode && probability !== undefined) return format.percent(probability);
    if (isProbability(alarm.parameter)) return format.percent(alarm.triggeredValue);
    if (alarm.parameter === 'silence') return format.duration(alarm.triggeredValue);
    return format.measure(alarm.triggeredValue, unitOf(alarm.parameter));
  };
}

/** Says an alarm in the technician's words: "Cavitation on Booster pump BP-441, 87 %, since 14:02". */
export function useSentence(): (alarm: Alarm) => string {
  const { t } = useTranslation('alarms');
  const format = useFormat();
  const certainty = useCertainty();
  return (alarm) =>
    t('sentence', {
      what: subjectOf(alarm),
      asset: assetName(alarm.asset),
      certainty: certainty(alarm),
      since: format.moment(alarm.triggeredAt),
    });
}
