import { graphql, type VariablesOf } from '@/shared/graph/tada';

export const submitFeedbackDocument = graphql(`
  mutation SubmitFeedback($input: SubmitFeedbackInput!) {
    submitFeedback(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

type Item = VariablesOf<typeof submitFeedbackDocument>['input']['items'][number];

/** What a person says of one prediction. */
export type Said = Pick<Item, 'type' | 'code'>;

export const faultChoiceDocument = graphql(`
  query FaultChoice {
    faultTypes(first: 100) {
      nodes {
        id
        code
        label
      }
    }
  }
`);
