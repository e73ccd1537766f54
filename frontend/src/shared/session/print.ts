import { stringifyDocument } from '@urql/core';

/** The text of a document, as it is sent. */
export function print(document: object): string {
  return stringifyDocument(document as Parameters<typeof stringifyDocument>[0]);
}
