import { GraphQLError } from 'graphql';
import type { World } from '../world';

export interface Input {
  id: string;
  [field: string]: unknown;
}

export interface Args {
  input: Input;
}

/** Refuses a mutation for which the viewer lacks the permission. */
export function need(world: World, permission: string): void {
  if (!world.permissions.includes(permission))
    throw new GraphQLError('no', { extensions: { code: 'FORBIDDEN' } });
}

/** Changes a thing in place, unless another change came between; says what is wrong then. */
export function edit<T extends { version: number }>(thing: T, { expectedVersion, ...changes }: Input) {
  if (expectedVersion !== thing.version)
    return [{ field: 'input.expectedVersion', message: 'Changed meanwhile.', code: 'CONFLICT' }];
  Object.assign(thing, changes, { version: thing.version + 1 });
  return [];
}
