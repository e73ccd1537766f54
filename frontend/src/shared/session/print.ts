import { stringifyDocument } from '@urql/core';
import type { TadaDocumentNode } from 'gql.tada';

/** The text of a document, as it is sent. */
export function print(document: TadaDocumentNode<never, never> | object): string {
  return stringifyDocument(document as Parameters<typeof stringifyDocument>[0]);
}
