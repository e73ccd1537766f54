import { useEffect } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/shared/graph/tada';

const systemStatusDocument = graphql(`
  query SystemStatus {
    systemStatus {
      state
      parts {
        name
        state
        since
        message
      }
    }
  }
`);

/** The server looks every few seconds; no event tells of what it finds. */
export const EVERY = 20_000;

/** The parts of the system that are down, as far as is known; asked for while the page is looked at. */
export function useSystemStatus() {
  const [{ data }, ask] = useQuery({ query: systemStatusDocument });
  useEffect(() => {
    const again = () => {
      if (document.visibilityState === 'visible') ask({ requestPolicy: 'network-only' });
    };
    const timer = setInterval(again, EVERY);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [ask]);
  const status = data?.systemStatus;
  return { state: status?.state ?? 'UP', down: status?.parts.filter((part) => part.state !== 'UP') ?? [] };
}
