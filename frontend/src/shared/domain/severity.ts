/** How bad an alarm is; the order is from the worst down. */
export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;

export type Severity = (typeof severities)[number];

/** Reports whether the text names a severity. */
export function isSeverity(text: string): text is Severity {
  return (severities as readonly string[]).includes(text);
}
