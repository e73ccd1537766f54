import { assetTypes } from '@/shared/domain/assetTypes';
import { isProbability } from '@/shared/domain/parameters';
import { neededNumber, z } from '@/shared/forms/numbers';
import type { Rule } from './documents';
import { operators } from './vocabulary';

const whole = (min: number, max: number) =>
  neededNumber({ min, max }).transform((value, context) => {
    if (Number.isInteger(value)) return value;
    context.addIssue({ code: 'custom', message: 'whole' });
    return z.NEVER;
  });

/** Where a rule looks: the whole tenant, a site and a kind of machine, one machine, one sensor. */
export const scopes = ['group', 'asset', 'sensor'] as const;

/** What is typed into the form of a rule. */
export const ruleSchema = z
  .object({
    name: z.string().trim().min(1, 'needed').max(200, 'tooLong'),
    scope: z.enum(scopes),
    siteId: z.string().transform((value) => value || null),
    assetType: z.enum([...assetTypes, '']).transform((value) => (value === '' ? null : value)),
    asset: z.object({ id: z.string(), name: z.string(), code: z.string() }).nullable(),
    sensorId: z.string().transform((value) => value || null),
    parameter: z.string().min(1, 'needed'),
    operator: z.enum(operators),
    threshold: neededNumber(),
    severity: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW']),
    faultCodes: z.array(z.string()),
    onlyInDistribution: z.boolean(),
    deadband: neededNumber({ min: 0 }),
    onDelaySec: whole(0, 86_400),
    offDelaySec: whole(0, 86_400),
    minConsecutive: whole(1, 1000),
    isActive: z.boolean(),
  })
  .superRefine((rule, context) => {
    if (rule.scope === 'asset' && !rule.asset)
      context.addIssue({ code: 'custom', path: ['asset'], message: 'needed' });
    if (isProbability(rule.parameter) && (rule.threshold < 0 || rule.threshold > 1)) {
      context.addIssue({ code: 'custom', path: ['threshold'], message: 'share' });
    }
    if (rule.parameter === 'health_score' && (rule.threshold < 0 || rule.threshold > 100)) {
      context.addIssue({ code: 'custom', path: ['threshold'], message: 'score' });
    }
  })
  .transform(({ scope, asset, siteId, assetType, sensorId, ...rule }) => {
    const isFault = rule.parameter === 'confidence';
    return {
      ...rule,
      faultCodes: isFault ? rule.faultCodes : [],
      onlyInDistribution: isFault && rule.onlyInDistribution,
      siteId: scope === 'group' ? siteId : null,
      assetType: scope === 'group' ? assetType : null,
      assetId: scope === 'asset' ? (asset?.id ?? null) : null,
      sensorId: scope === 'sensor' ? sensorId : null,
    };
  });

export type RuleTyped = z.input<typeof ruleSchema>;
export type RuleInput = z.output<typeof ruleSchema>;

/** Fields by which the server may blame the form; those of another name are said on top. */
export const ruleFieldNames = [
  'name',
  'siteId',
  'assetType',
  'asset',
  'sensorId',
  'parameter',
  'operator',
  'threshold',
  'severity',
  'faultCodes',
  'deadband',
  'onDelaySec',
  'offDelaySec',
  'minConsecutive',
] as const satisfies (keyof RuleTyped)[];

/** The form's text for a rule, or for a new one. */
export function typedFrom(rule: Rule | null): RuleTyped {
  return {
    name: rule?.name ?? '',
    scope: rule?.sensor ? 'sensor' : rule?.asset ? 'asset' : 'group',
    siteId: rule?.site?.id ?? '',
    assetType: rule?.assetType ?? '',
    asset: rule?.asset ?? null,
    sensorId: rule?.sensor?.id ?? '',
    parameter: rule?.parameter ?? '',
    operator: rule?.operator ?? 'GT',
    threshold: rule ? String(rule.threshold) : '',
    severity: rule?.severity ?? 'MEDIUM',
    faultCodes: rule?.faultCodes ?? [],
    onlyInDistribution: rule?.onlyInDistribution ?? true,
    deadband: String(rule?.deadband ?? 0),
    onDelaySec: String(rule?.onDelaySec ?? 0),
    offDelaySec: String(rule?.offDelaySec ?? 0),
    minConsecutive: String(rule?.minConsecutive ?? 1),
    isActive: rule?.isActive ?? true,
  };
}
