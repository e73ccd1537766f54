/** Kinds of machines, in the order people are offered them. */
export const assetTypes = [
  'MOTOR',
  'PUMP',
  'PUMP_SET',
  'COMPRESSOR',
  'FAN',
  'BLOWER',
  'GEARBOX',
  'TURBINE',
  'GENERATOR',
  'CONVEYOR',
  'MIXER',
  'OTHER',
] as const;
