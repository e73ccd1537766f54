import type { FieldPath, FieldValues, UseFormSetError } from 'react-hook-form';

export interface UserError {
  field: string | null;
  message: string;
  code: string;
}

/**
 * Puts what the server says at the fields it blames; the rest becomes the form's own
 * error. Answers whether the object was changed by somebody else meanwhile.
 */
export function showUserErrors<Values extends FieldValues>(
  errors: UserError[],
  fields: readonly FieldPath<Values>[],
  setError: UseFormSetError<Values>,
): { stale: boolean } {
  let stale = false;
  const rest: string[] = [];
  for (const { field, message, code } of errors) {
    const name = field?.replace(/^input\./, '');
    const known = fields.find((one) => one === name);
    if (known) setError(known, { type: 'server', message }, { shouldFocus: true });
    else if (code === 'CONFLICT' && (!name || name === 'expectedVersion')) stale = true;
    else rest.push(message);
  }
  if (rest.length > 0) setError('root.server', { type: 'server', message: rest.join(' ') });
  return { stale };
}
