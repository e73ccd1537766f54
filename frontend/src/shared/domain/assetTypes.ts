/** Kinds of machines, in the order people are offered them. */
export const assetTypes = ['MOTOR', 'PUMP', 'COMPRESSOR', 'FAN', 'GEARBOX', 'TURBINE', 'OTHER'] as const;
