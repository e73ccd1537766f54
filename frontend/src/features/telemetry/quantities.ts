import type { Catalogue } from '@/shared/domain/parameters';

const places = ['motor_DE', 'motor_NDE', 'pump_DE', 'pump_NDE'] as const;

/** The views on a machine's readings. */
export const quantities = ['overall', 'vibration', 'ultrasonic', 'temperature', 'process'] as const;
export type Quantity = (typeof quantities)[number];

export interface ChartSpec {
  id: string;
  title: string;
  unit: string;
  parameters: string[];
  /** Name of each line, in the order of the parameters. */
  names: string[];
}

const derived = ['vibration_rms', 'bearing_temp'];

/** The charts of a view, one unit each; small multiples by the place on the machine. */
export function chartsOf(
  quantity: Quantity,
  catalogue: Catalogue,
  text: (key: string) => string,
): ChartSpec[] {
  const { all, labelOf, unitOf } = catalogue;
  const single = (name: string): ChartSpec => ({
    id: name,
    title: labelOf(name),
    unit: unitOf(name),
    parameters: [name],
    names: [labelOf(name)],
  });
  const perPlace = (suffixes: string[]): ChartSpec[] =>
    places.map((place) => {
      const parameters = suffixes.map((suffix) => `${place}_${suffix}`);
      return {
        id: place,
        title: text(`common:place.${place}`),
        unit: unitOf(parameters[0]!),
        parameters,
        names: suffixes.map((suffix) => text(`line.${suffix}`)),
      };
    });
  switch (quantity) {
    case 'overall':
      return derived.map(single);
    case 'vibration':
      return perPlace(['vib_band_1', 'vib_band_2', 'vib_band_3', 'vib_band_4']);
    case 'ultrasonic':
    case 'temperature':
      return perPlace([quantity]);
    case 'process':
      return all
        .filter((one) => one.place === null && !derived.includes(one.name))
        .map((one) => single(one.name));
  }
}
