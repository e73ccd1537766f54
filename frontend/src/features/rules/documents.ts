import { graphql, type ResultOf } from '@/shared/graph/tada';

export const ruleFragment = graphql(`
  fragment RuleFields on AlarmRule {
    id
    version
    name
    parameter
    operator
    threshold
    faultCodes
    onlyInDistribution
    severity
    deadband
    onDelaySec
    offDelaySec
    minConsecutive
    isActive
    updatedAt
    assetType
    site {
      id
      name
    }
    asset {
      id
      code
      name
    }
    sensor {
      id
      code
    }
  }
`);

export type Rule = ResultOf<typeof ruleFragment>;

export const ruleListDocument = graphql(
  `
    query RuleList($first: Int!, $after: String, $filter: AlarmRuleFilter) {
      alarmRules(first: $first, after: $after, filter: $filter) {
        totalCount
        nodes {
          ...RuleFields
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [ruleFragment],
);

export const ruleDocument = graphql(
  `
    query RuleDetail($id: UUID!) {
      node(id: $id) {
        __typename
        ... on AlarmRule {
          ...RuleFields
        }
      }
    }
  `,
  [ruleFragment],
);

export const createRuleDocument = graphql(
  `
    mutation CreateAlarmRule($input: CreateAlarmRuleInput!) {
      createAlarmRule(input: $input) {
        rule {
          ...RuleFields
        }
        userErrors {
          field
          message
          code
        }
      }
    }
  `,
  [ruleFragment],
);

export const updateRuleDocument = graphql(
  `
    mutation UpdateAlarmRule($input: UpdateAlarmRuleInput!) {
      updateAlarmRule(input: $input) {
        rule {
          ...RuleFields
        }
        userErrors {
          field
          message
          code
        }
      }
    }
  `,
  [ruleFragment],
);

export const deleteRuleDocument = graphql(`
  mutation DeleteAlarmRule($input: AlarmRuleIdInput!) {
    deleteAlarmRule(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

export const restoreRuleDocument = graphql(`
  mutation RestoreAlarmRule($input: AlarmRuleIdInput!) {
    restoreAlarmRule(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

export const faultTypesDocument = graphql(`
  query FaultTypeNames {
    faultTypes(first: 100) {
      nodes {
        id
        code
        label
      }
    }
  }
`);

export const assetChoiceDocument = graphql(`
  query AssetChoice($search: String!) {
    assets(first: 20, filter: { search: $search }, orderBy: { field: NAME, direction: ASC }) {
      nodes {
        id
        code
        name
      }
    }
  }
`);
