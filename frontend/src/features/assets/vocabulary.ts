export const criticalities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;
export const machineGroups = ['GROUP_1', 'GROUP_2'] as const;
export const supportTypes = ['RIGID', 'FLEXIBLE'] as const;

/** Seconds after which a machine that says nothing counts as silent. */
export const SILENT_AFTER = 300;
