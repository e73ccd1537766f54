import { useTranslation } from 'react-i18next';
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/shared/graph/tada';

const catalogueDocument = graphql(`
  query ParameterCatalogue {
    parameters(first: 100) {
      nodes {
        id
        name
        unit
        higherIsWorse
      }
    }
  }
`);

const probabilities: ReadonlySet<string> = new Set(['confidence', 'failure_prob_7d', 'failure_prob_30d']);

/** Reports whether a parameter is a probability, 0-1, which is shown in percent. */
export const isProbability = (parameter: string) => probabilities.has(parameter);

const mountPoint = /^(motor|pump)_(DE|NDE)_(vib_band_[1-4]|ultrasonic|temperature)$/;

export interface ParameterInfo {
  name: string;
  unit: string;
  label: string;
  /** The part of the machine it is measured at; null for values of the whole machine. */
  place: string | null;
}

export interface Catalogue {
  all: ParameterInfo[];
  labelOf: (name: string) => string;
  /** Unit of a parameter, of a rule's own quantities also; empty when unknown. */
  unitOf: (name: string) => string;
}

/** What can be measured, with names in the person's language. */
export function useCatalogue(): Catalogue {
  const { t, i18n } = useTranslation('common');
  const [{ data }] = useQuery({ query: catalogueDocument, requestPolicy: 'cache-first' });
  return useMemo(() => {
    const placeOf = (name: string) => {
      const match = mountPoint.exec(name);
      return match ? t(`place.${match[1]}_${match[2]}`) : null;
    };
    const labelOf = (name: string) => {
      const match = mountPoint.exec(name);
      if (match) return t('parameterAt', { place: placeOf(name), name: t(`quantity.${match[3]}`) });
      const key = `parameter.${name}`;
      return i18n.exists(key, { ns: 'common' }) ? t(key) : name;
    };
    const all = (data?.parameters.nodes ?? []).map(({ name, unit }) => ({
      name,
      unit,
      label: labelOf(name),
      place: placeOf(name),
    }));
    const units = new Map(all.map((one) => [one.name, one.unit]));
    units.set('silence', t('unit.second'));
    units.set('health_score', t('unit.score'));
    return { all, labelOf, unitOf: (name) => units.get(name) ?? '' };
  }, [data, t, i18n]);
}
