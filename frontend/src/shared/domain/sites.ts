import { useQuery } from 'urql';
import { graphql } from '@/shared/graph/tada';

const sitesDocument = graphql(`
  query SiteNames {
    sites(first: 100) {
      nodes {
        id
        code
        name
      }
    }
  }
`);

export interface SiteName {
  id: string;
  code: string;
  name: string;
}

/** The sites the person may see, to choose from. */
export function useSites(): SiteName[] {
  const [{ data }] = useQuery({ query: sitesDocument, requestPolicy: 'cache-first' });
  return data?.sites.nodes ?? [];
}
