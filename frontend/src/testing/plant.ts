/** A small plant to test with: entities as plain objects, the way the schema names them. */

export type Severity = 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export type Status = 'OPEN' | 'ACKNOWLEDGED' | 'CLEARED' | 'RESOLVED';

export interface Site {
  __typename: 'Site';
  id: string;
  code: string;
  name: string;
}

export interface Asset {
  __typename: 'Asset';
  id: string;
  code: string;
  name: string;
  type: string;
  criticality: Severity;
  site: Site;
  version: number;
  sensors: Sensor[];
  lastSeenAt: string | null;
  [field: string]: unknown;
}

export interface Sensor {
  __typename: 'Sensor';
  id: string;
  code: string;
  type: string;
  expectedIntervalSec: number;
  lastSeenAt: string | null;
}

export interface Explanation {
  __typename: 'Explanation';
  code: string;
  label: string;
  modelVersion: string;
  margin: number;
  bias: number;
  others: number;
  features: {
    __typename: 'FeatureContribution';
    feature: string;
    label: string;
    unit: string | null;
    value: number | null;
    contribution: number;
  }[];
}

export interface Alarm {
  __typename: 'AlarmEvent';
  id: string;
  ruleName: string;
  asset: Asset;
  site: Site;
  severity: Severity;
  status: Status;
  parameter: string;
  triggeredValue: number;
  faultCode: string | null;
  faultLabel: string | null;
  recommendedAction: string | null;
  prediction: Prediction | null;
  explanation: Explanation | null;
  explanationStatus: 'PENDING' | 'READY' | 'UNAVAILABLE' | null;
  triggeredAt: string;
  lastTriggeredAt: string;
  occurrences: number;
  transitions: {
    seq: number;
    from: Status | null;
    to: Status;
    note: string | null;
    at: string;
    by: unknown;
  }[];
  [field: string]: unknown;
}

export interface Prediction {
  __typename: 'FaultPrediction';
  id: string;
  siteId: string;
  assetId: string;
  sensorId: string;
  asset: Asset;
  timestamp: string;
  code: string;
  label: string;
  probability: number;
  top: { code: string; label: string; probability: number }[];
  recommendedAction: string;
  modelVersion: string;
  outOfDistribution: boolean;
}

export interface Rule {
  __typename: 'AlarmRule';
  id: string;
  name: string;
  version: number;
  parameter: string;
  operator: string;
  threshold: number;
  severity: Severity;
  isActive: boolean;
  deleted?: boolean;
  [field: string]: unknown;
}

const places = ['motor_DE', 'motor_NDE', 'pump_DE', 'pump_NDE'];

/** The catalogue as the server has it. */
export const parameters = [
  ...places.flatMap((place) => [
    ...[1, 2, 3, 4].map((band) => [`${place}_vib_band_${band}`, 'mm/s']),
    [`${place}_ultrasonic`, 'dBµV'],
    [`${place}_temperature`, '°C'],
  ]),
  ['vibration_rms', 'mm/s'],
  ['bearing_temp', '°C'],
  ['motor_current', 'A'],
].map(([name, unit]) => ({
  __typename: 'Parameter',
  id: `parameter-${name}`,
  name,
  unit,
  higherIsWorse: true,
  isBuiltIn: true,
}));

export const faultTypes = [
  ['normal', 'Normal'],
  ['cavitation', 'Cavitation'],
  ['bearing_inner_race_defect', 'Bearing inner race defect'],
  ['rotor_unbalance', 'Rotor unbalance'],
].map(([code, label]) => ({ __typename: 'FaultType', id: `fault-${code}`, code, label }));

export const sites: Site[] = [
  { __typename: 'Site', id: 'site-1', code: 'riverside', name: 'Riverside works' },
  { __typename: 'Site', id: 'site-2', code: 'hill', name: 'Hill station' },
];

const kinds = [
  ['PUMP', 'Booster pump', 'bp'],
  ['MOTOR', 'Drive motor', 'mo'],
  ['FAN', 'Cooling fan', 'cf'],
  ['COMPRESSOR', 'Air compressor', 'ac'],
] as const;
const criticalities: Severity[] = ['MEDIUM', 'HIGH', 'CRITICAL', 'LOW'];

export function makeAsset(index: number): Asset {
  const [type, name, prefix] = kinds[index % kinds.length]!;
  const code = `${prefix}-${441 + index}`;
  return {
    __typename: 'Asset',
    id: `asset-${index}`,
    code,
    name: `${name} ${code.toUpperCase()}`,
    type,
    criticality: criticalities[index % criticalities.length]!,
    site: sites[index % sites.length]!,
    parent: null,
    version: 1,
    manufacturer: 'Kestrel',
    model: 'K-200',
    serialNumber: null,
    installedOn: '2021-03-01T00:00:00.000Z',
    location: 'Hall 2',
    ratedPowerKw: 75,
    isoMachineGroup: 'GROUP_2',
    isoSupportType: 'RIGID',
    downtimeCostPerHour: 1200,
    lastSeenAt: new Date().toISOString(),
    sensors: [
      {
        __typename: 'Sensor',
        id: `sensor-${index}`,
        code: `${code}-s1`,
        type: 'motor_pump_24ch',
        expectedIntervalSec: 1,
        lastSeenAt: new Date().toISOString(),
      },
    ],
  };
}

let made = 0;

export function makePrediction(asset: Asset, code = 'cavitation', probability = 0.87): Prediction {
  const label = faultTypes.find((fault) => fault.code === code)?.label ?? code;
  return {
    __typename: 'FaultPrediction',
    id: `prediction-${++made}`,
    siteId: asset.site.id,
    assetId: asset.id,
    sensorId: asset.sensors[0]!.id,
    asset,
    timestamp: new Date().toISOString(),
    code,
    label,
    probability,
    top: [
      { code, label, probability },
      { code: 'rotor_unbalance', label: 'Rotor unbalance', probability: (1 - probability) * 0.6 },
      { code: 'normal', label: 'Normal', probability: (1 - probability) * 0.4 },
    ],
    recommendedAction: 'Check the suction pressure and the strainer; lower the flow until the noise stops.',
    modelVersion: 'fault_classifier:1.0.0',
    outOfDistribution: false,
  };
}

export function makeAlarm(asset: Asset, changes: Partial<Alarm> = {}): Alarm {
  const at = changes.triggeredAt ?? new Date().toISOString();
  const prediction = makePrediction(asset);
  return {
    __typename: 'AlarmEvent',
    id: `alarm-${++made}`,
    rule: null,
    ruleName: 'Fault with confidence',
    asset,
    site: asset.site,
    sensor: asset.sensors[0],
    severity: 'HIGH',
    status: 'OPEN',
    parameter: 'confidence',
    triggeredValue: 0.87,
    faultCode: 'cavitation',
    faultLabel: 'Cavitation',
    recommendedAction: prediction.recommendedAction,
    prediction,
    explanation: null,
    explanationStatus: null,
    triggeredAt: at,
    lastTriggeredAt: at,
    occurrences: 1,
    clearedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    resolvedBy: null,
    correctionPlan: null,
    transitions: [{ seq: made, from: null, to: 'OPEN', note: null, at, by: null }],
    ...changes,
  };
}

/** An explanation with one feature that spoke for the fault and one, not measured, against it. */
export function makeExplanation(): Explanation {
  return {
    __typename: 'Explanation',
    code: 'cavitation',
    label: 'Cavitation',
    modelVersion: 'fault_classifier:1.0.0',
    margin: 4.1,
    bias: 0.5,
    others: -0.4,
    features: [
      {
        __typename: 'FeatureContribution',
        feature: 'pump_DE_ultrasonic_mean',
        label: 'ultrasound, pump, drive end: mean',
        unit: 'dBµV',
        value: 41.23,
        contribution: 5.2,
      },
      {
        __typename: 'FeatureContribution',
        feature: 'motor_DE_vib_band_1_rms',
        label: 'vibration 2–100 Hz, motor, drive end: root mean square',
        unit: 'mm/s',
        value: null,
        contribution: -1.2,
      },
    ],
  };
}

export function makeRule(changes: Partial<Rule> = {}): Rule {
  return {
    __typename: 'AlarmRule',
    id: `rule-${++made}`,
    name: 'High vibration',
    version: 1,
    site: null,
    assetType: null,
    asset: null,
    sensor: null,
    parameter: 'vibration_rms',
    operator: 'GT',
    threshold: 7.1,
    faultCodes: [],
    onlyInDistribution: false,
    severity: 'HIGH',
    deadband: 0.2,
    onDelaySec: 0,
    offDelaySec: 0,
    minConsecutive: 3,
    isActive: true,
    createdAt: new Date().toISOString(),
    updatedAt: new Date().toISOString(),
    ...changes,
  };
}

/** What a sensor says, with slow waves around plausible values. */
export function makeReading(asset: Asset, at: number) {
  const wave = (period: number) => Math.sin((2 * Math.PI * at) / period);
  const values = parameters.map(({ name, unit }, i) => ({
    parameter: name!,
    value:
      unit === '°C'
        ? 58 + 3 * wave(300) + (i % 5)
        : unit === 'dBµV'
          ? 34 + 2 * wave(60) + (i % 4)
          : unit === 'A'
            ? 118 + 4 * wave(90)
            : name === 'vibration_rms'
              ? 4.2 + 1.4 * wave(120) + 0.2 * wave(7)
              : 1.1 + 0.3 * wave(40 + i) + (i % 4) * 0.4,
  }));
  return {
    sensorId: asset.sensors[0]!.id,
    assetId: asset.id,
    siteId: asset.site.id,
    timestamp: new Date(at * 1000).toISOString(),
    receivedAt: new Date(at * 1000).toISOString(),
    ingestId: `${asset.id}-${at}`,
    late: false,
    values: ({ parameters: wanted }: { parameters?: string[] | null }) =>
      wanted ? values.filter((one) => wanted.includes(one.parameter)) : values,
  };
}
