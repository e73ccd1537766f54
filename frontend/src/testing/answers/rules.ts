import { makeRule, sites } from '../plant';
import type { World } from '../world';
import { edit, need, type Args, type Input } from './change';

/** What people do with alarm rules. */
export function ruleMutations(world: World) {
  const ruleOf = (id: string) => world.rules.find((one) => one.id === id)!;
  const references = (input: Input) => ({
    site: sites.find((one) => one.id === input.siteId) ?? null,
    asset: world.assets.find((one) => one.id === input.assetId) ?? null,
    sensor: null,
  });
  return {
    createAlarmRule: ({ input }: Args) => {
      need(world, 'rules:write');
      const userErrors = world.blame('createAlarmRule');
      if (userErrors.length > 0) return { rule: null, userErrors };
      const rule = makeRule({ ...input, ...references(input) });
      world.rules.push(rule);
      return { rule, userErrors };
    },
    updateAlarmRule: ({ input }: Args) => {
      need(world, 'rules:write');
      const rule = ruleOf(input.id);
      const errors = world.blame('updateAlarmRule');
      const userErrors = errors.length > 0 ? errors : edit(rule, input);
      return { rule: userErrors.length > 0 ? null : { ...rule }, userErrors };
    },
    deleteAlarmRule: ({ input }: Args) => {
      need(world, 'rules:write');
      ruleOf(input.id).deleted = true;
      return { rule: null, userErrors: [] };
    },
    restoreAlarmRule: ({ input }: Args) => {
      need(world, 'rules:write');
      ruleOf(input.id).deleted = false;
      return { rule: ruleOf(input.id), userErrors: [] };
    },
  };
}
