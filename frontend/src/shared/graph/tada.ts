import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

/** Types documents from the schema. Times and ids are strings, sequences are numbers. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { UUID: string; Time: string; Long: number };
}>();

export type { FragmentOf, ResultOf, VariablesOf } from 'gql.tada';
