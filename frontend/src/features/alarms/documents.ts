import { graphql, type ResultOf } from '@/shared/graph/tada';

/** What a line about an alarm needs. */
export const alarmFragment = graphql(`
  fragment AlarmFields on AlarmEvent {
    id
    status
    severity
    ruleName
    parameter
    triggeredValue
    faultCode
    faultLabel
    recommendedAction
    triggeredAt
    lastTriggeredAt
    occurrences
    clearedAt
    acknowledgedAt
    resolvedAt
    site {
      id
      name
    }
    asset {
      id
      code
      name
    }
    prediction {
      id
      probability
    }
  }
`);

export type Alarm = ResultOf<typeof alarmFragment>;
export type AlarmStatus = Alarm['status'];

export const alarmsSubscription = graphql(
  `
    subscription Alarms {
      alarms {
        seq
        snapshot
        resync
        alarm {
          ...AlarmFields
        }
      }
    }
  `,
  [alarmFragment],
);

export const alarmListDocument = graphql(
  `
    query AlarmList($first: Int!, $after: String, $filter: AlarmEventFilter) {
      alarmEvents(first: $first, after: $after, filter: $filter) {
        totalCount
        nodes {
          ...AlarmFields
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [alarmFragment],
);

export const alarmDetailDocument = graphql(
  `
    query AlarmDetail($id: UUID!) {
      node(id: $id) {
        __typename
        ... on AlarmEvent {
          ...AlarmFields
          correctionPlan
          explanationStatus
          explanation {
            code
            label
            others
            features {
              feature
              label
              unit
              value
              contribution
            }
          }
          acknowledgedBy {
            id
            fullName
          }
          resolvedBy {
            id
            fullName
          }
          rule {
            id
            name
            operator
            threshold
            parameter
          }
          sensor {
            id
            code
          }
          transitions {
            seq
            from
            to
            note
            at
            by {
              id
              fullName
            }
          }
        }
      }
    }
  `,
  [alarmFragment],
);

export const acknowledgeDocument = graphql(`
  mutation AcknowledgeAlarm($input: AcknowledgeAlarmInput!) {
    acknowledgeAlarm(input: $input) {
      alarm {
        id
        status
        acknowledgedAt
        resolvedAt
      }
      userErrors {
        field
        message
        code
      }
    }
  }
`);

export const resolveDocument = graphql(`
  mutation ResolveAlarm($input: ResolveAlarmInput!) {
    resolveAlarm(input: $input) {
      alarm {
        id
        status
        resolvedAt
        correctionPlan
      }
      userErrors {
        field
        message
        code
      }
    }
  }
`);
