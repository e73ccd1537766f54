import type { CombinedError } from '@urql/core';
import type { ReactNode } from 'react';
import { ErrorState, RowsSkeleton, StaleNotice } from './states';

interface Props<T> {
  data: T | null | undefined;
  error: CombinedError | undefined;
  onRetry: () => void;
  /** Shown until the first answer. */
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** Shows what a request has brought so far: skeleton, error with retry, or the data with a notice. */
export function Loaded<T>({ data, error, onRetry, skeleton, children }: Props<T>) {
  if (data === null || data === undefined) {
    if (error) return <ErrorState error={error} onRetry={onRetry} />;
    return skeleton ?? <RowsSkeleton />;
  }
  return (
    <>
      {error ? <StaleNotice error={error} onRetry={onRetry} /> : null}
      {children(data)}
    </>
  );
}
