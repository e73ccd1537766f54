import { graphql, type ResultOf } from '@/shared/graph/tada';

/** What a line about an asset needs. */
export const assetRowFragment = graphql(`
  fragment AssetRow on Asset {
    id
    code
    name
    type
    criticality
    manufacturer
    activeAlarmCount
    worstSeverity
    lastSeenAt
    site {
      id
      name
    }
    latestPrediction {
      id
      timestamp
      code
      label
      probability
    }
  }
`);

export type AssetRow = ResultOf<typeof assetRowFragment>;

/** What can be changed of an asset. */
export const assetFieldsFragment = graphql(`
  fragment AssetFields on Asset {
    id
    version
    code
    name
    type
    criticality
    manufacturer
    model
    serialNumber
    installedOn
    location
    ratedPowerKw
    isoMachineGroup
    isoSupportType
    downtimeCostPerHour
    site {
      id
      name
    }
    parent {
      id
      code
      name
    }
  }
`);

export type AssetFields = ResultOf<typeof assetFieldsFragment>;

export const assetListDocument = graphql(
  `
    query AssetList($first: Int!, $after: String, $filter: AssetFilter, $orderBy: AssetOrder) {
      assets(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount
        nodes {
          ...AssetRow
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [assetRowFragment],
);

export const assetDocument = graphql(
  `
    query AssetDetail($id: UUID!) {
      asset(id: $id) {
        ...AssetRow
        ...AssetFields
        sensors {
          id
          code
          type
          mountLocation
          expectedIntervalSec
          lastSeenAt
        }
      }
    }
  `,
  [assetRowFragment, assetFieldsFragment],
);

export type AssetDetail = NonNullable<ResultOf<typeof assetDocument>['asset']>;

export const createAssetDocument = graphql(
  `
    mutation CreateAsset($input: CreateAssetInput!) {
      createAsset(input: $input) {
        asset {
          ...AssetFields
        }
        userErrors {
          field
          message
          code
        }
      }
    }
  `,
  [assetFieldsFragment],
);

export const updateAssetDocument = graphql(
  `
    mutation UpdateAsset($input: UpdateAssetInput!) {
      updateAsset(input: $input) {
        asset {
          ...AssetFields
        }
        userErrors {
          field
          message
          code
        }
      }
    }
  `,
  [assetFieldsFragment],
);
