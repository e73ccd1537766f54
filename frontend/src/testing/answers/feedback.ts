import type { World } from '../world';
import { need } from './change';

export interface Said {
  predictionId: string;
  type: string;
  code?: string;
}

/** What people say of predictions: the last word on each counts. */
export function feedbackMutations(world: World) {
  return {
    submitFeedback: ({ input }: { input: { items: Said[] } }) => {
      need(world, 'predictions:write');
      const errors = world.blame('submitFeedback');
      if (errors.length === 0) for (const one of input.items) world.said.set(one.predictionId, one);
      return { feedback: null, userErrors: errors };
    },
  };
}
