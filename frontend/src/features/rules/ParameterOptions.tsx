import { useTranslation } from 'react-i18next';
import type { Catalogue, ParameterInfo } from '@/shared/domain/parameters';
import { ownQuantities } from './vocabulary';

/** What a rule can compare, grouped: the product's own, the whole machine, each place on it. */
export function ParameterOptions({ catalogue }: { catalogue: Catalogue }) {
  const { t } = useTranslation('rules');
  const groups = new Map<string, ParameterInfo[]>();
  for (const parameter of catalogue.all) {
    const group = parameter.place ?? t('group.machine');
    groups.set(group, [...(groups.get(group) ?? []), parameter]);
  }
  const ordered = [...groups].sort(
    ([a], [b]) => Number(b === t('group.machine')) - Number(a === t('group.machine')),
  );
  return (
    <>
      <option value="">{t('form.choose')}</option>
      <optgroup label={t('group.own')}>
        {ownQuantities.map((name) => (
          <option key={name} value={name}>
            {catalogue.labelOf(name)}
          </option>
        ))}
      </optgroup>
      {ordered.map(([group, parameters]) => (
        <optgroup key={group} label={group}>
          {parameters.map((parameter) => (
            <option key={parameter.name} value={parameter.name}>
              {parameter.label}
            </option>
          ))}
        </optgroup>
      ))}
    </>
  );
}
