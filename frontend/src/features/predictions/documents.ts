import { graphql, type ResultOf } from '@/shared/graph/tada';

/** What a line about a prediction needs. */
export const predictionFragment = graphql(`
  fragment PredictionFields on FaultPrediction {
    id
    assetId
    sensorId
    timestamp
    code
    label
    probability
    top {
      code
      label
      probability
    }
    recommendedAction
    modelVersion
    outOfDistribution
    asset {
      id
      code
      name
    }
  }
`);

export type Prediction = ResultOf<typeof predictionFragment>;

export const predictionListDocument = graphql(
  `
    query PredictionList($first: Int!, $scope: ScopeInput, $filter: PredictionFilter) {
      predictions(first: $first, scope: $scope, filter: $filter) {
        nodes {
          ...PredictionFields
        }
      }
    }
  `,
  [predictionFragment],
);

export const predictionsSubscription = graphql(
  `
    subscription Predictions($scope: ScopeInput, $onlyAbnormal: Boolean) {
      predictions(scope: $scope, onlyAbnormal: $onlyAbnormal) {
        snapshot
        resync
        prediction {
          ...PredictionFields
        }
      }
    }
  `,
  [predictionFragment],
);
