import { graphql, type ResultOf } from '@/shared/graph/tada';

const readingFragment = graphql(`
  fragment ReadingFields on Reading {
    sensorId
    timestamp
    values(parameters: $parameters) {
      parameter
      value
    }
  }
`);

export type ReadingData = ResultOf<typeof readingFragment>;

export const telemetryDocument = graphql(
  `
    query TelemetryHistory($scope: ScopeInput!, $from: Time!, $after: String, $parameters: [String!]) {
      telemetry(first: 100, after: $after, scope: $scope, from: $from) {
        nodes {
          ...ReadingFields
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [readingFragment],
);

export const seriesDocument = graphql(`
  query TelemetrySeries($scope: ScopeInput!, $from: Time!, $to: Time!, $parameters: [String!]!) {
    series(scope: $scope, from: $from, to: $to, parameters: $parameters) {
      series {
        sensorId
        parameter
        times
        average
      }
    }
  }
`);

export type SeriesData = ResultOf<typeof seriesDocument>['series']['series'];

export const telemetrySubscription = graphql(
  `
    subscription Telemetry($scope: ScopeInput, $parameters: [String!]) {
      telemetry(scope: $scope) {
        snapshot
        resync
        reading {
          ...ReadingFields
        }
      }
    }
  `,
  [readingFragment],
);
