import { assetTypes } from '@/shared/domain/assetTypes';
import { typedNumber, z } from '@/shared/forms/numbers';
import type { AssetFields } from './documents';
import { criticalities, machineGroups, supportTypes } from './vocabulary';

const text = (longest = 200) => z.string().trim().max(longest, 'tooLong');
const orNull = (value: string) => (value === '' ? null : value);
const optional = text().transform(orNull);

/** What is typed into the form of an asset; what comes out is the input of the mutation. */
export const assetSchema = z.object({
  siteId: z.string().min(1, 'needed'),
  code: z
    .string()
    .trim()
    .min(1, 'needed')
    .regex(/^[a-z0-9_-]{1,100}$/, 'code'),
  name: text().min(1, 'needed'),
  type: z.enum(assetTypes),
  criticality: z.enum(criticalities),
  manufacturer: optional,
  model: optional,
  serialNumber: optional,
  location: optional,
  installedOn: z.string().transform((day) => (day === '' ? null : `${day}T00:00:00.000Z`)),
  ratedPowerKw: typedNumber({ above: 0 }),
  isoMachineGroup: z.enum([...machineGroups, '']).transform((value) => (value === '' ? null : value)),
  isoSupportType: z.enum([...supportTypes, '']).transform((value) => (value === '' ? null : value)),
  downtimeCostPerHour: typedNumber({ min: 0 }),
});

export type AssetTyped = z.input<typeof assetSchema>;
export type AssetInput = z.output<typeof assetSchema>;

export const assetFieldNames = Object.keys(assetSchema.shape) as (keyof AssetTyped)[];

/** The form's text for an asset, or for a new one. */
export function typedFrom(asset: AssetFields | null): AssetTyped {
  const number = (value: number | null | undefined) =>
    value === null || value === undefined ? '' : String(value);
  return {
    siteId: asset?.site.id ?? '',
    code: asset?.code ?? '',
    name: asset?.name ?? '',
    type: asset?.type ?? 'PUMP',
    criticality: asset?.criticality ?? 'MEDIUM',
    manufacturer: asset?.manufacturer ?? '',
    model: asset?.model ?? '',
    serialNumber: asset?.serialNumber ?? '',
    location: asset?.location ?? '',
    installedOn: asset?.installedOn?.slice(0, 10) ?? '',
    ratedPowerKw: number(asset?.ratedPowerKw),
    isoMachineGroup: asset?.isoMachineGroup ?? '',
    isoSupportType: asset?.isoSupportType ?? '',
    downtimeCostPerHour: number(asset?.downtimeCostPerHour),
  };
}
