import {
  buildSchema,
  execute,
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  parse,
  subscribe,
  validate,
  type ExecutionResult,
} from 'graphql';
import { Broadcast } from './channel';
import {
  faultTypes,
  makeAlarm,
  makeAsset,
  makeReading,
  makeRule,
  parameters,
  sites,
  type Alarm,
  type Asset,
  type Prediction,
  type Rule,
  type Severity,
} from './plant';

export const allPermissions = [
  'alarms:acknowledge',
  'rules:write',
  'plant:write',
  'alarms:read',
  'plant:read',
];
const ranks: Severity[] = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];

interface UserErrorData {
  field: string | null;
  message: string;
  code: string;
}

type Args = { input: Record<string, unknown> & { id: string } };

/**
 * World answers the real schema from memory: documents are parsed, validated and
 * executed as the server would, so a query that the schema does not know fails a test.
 */
export class World {
  private schema;
  assets: Asset[];
  alarms: Alarm[] = [];
  rules: Rule[] = [];
  predictionsMade: Prediction[] = [];
  permissions = allPermissions;
  /** The cookie holds a session. */
  signedIn = true;
  /** Every operation that came, in order. */
  log: { name: string; variables: Record<string, unknown>; headers: Headers }[] = [];
  /** Answers a mutation with these user errors, by field name, until removed. */
  userErrors = new Map<string, UserErrorData[]>();
  /** Fails an operation with this code, by operation name, until removed. */
  failures = new Map<string, string>();
  private token = 0;
  private valid = new Set<string>();
  private seq = 1;
  readonly alarmItems = new Broadcast<unknown>();
  readonly predictionItems = new Broadcast<unknown>();
  readonly telemetryItems = new Broadcast<unknown>();

  constructor(schemaText: string, assetCount = 12) {
    this.schema = buildSchema(schemaText);
    this.assets = Array.from({ length: assetCount }, (_, index) => makeAsset(index));
  }

  /** Refuses every access token given out so far. */
  expireTokens(): void {
    this.valid.clear();
  }

  accepts(authorization: string | null): boolean {
    return authorization !== null && this.valid.has(authorization.replace('Bearer ', ''));
  }

  raise(alarm: Alarm): Alarm {
    this.alarms.unshift(alarm);
    this.change(alarm);
    return alarm;
  }

  change(alarm: Alarm): void {
    this.alarmItems.send({
      alarms: { alarm: { ...alarm }, seq: this.seq++, snapshot: false, resync: false },
    });
  }

  predict(prediction: Prediction): void {
    this.predictionsMade.unshift(prediction);
    this.predictionItems.send({ predictions: { prediction, snapshot: false, resync: false } });
  }

  read(asset: Asset, at: number): void {
    this.telemetryItems.send({
      telemetry: { reading: makeReading(asset, at), snapshot: false, resync: false },
    });
  }

  async answer(
    query: string,
    variables: Record<string, unknown>,
    headers: Headers,
  ): Promise<ExecutionResult> {
    const document = parse(query);
    const problems = validate(this.schema, document);
    if (problems.length > 0) return { errors: problems };
    const operation = getOperationAST(document);
    const name = operation?.name?.value ?? '';
    this.log.push({ name, variables, headers });
    const open = openToAll.has(name);
    if (!open && !this.accepts(headers.get('authorization'))) return failure('UNAUTHENTICATED');
    const code = this.failures.get(name);
    if (code) return failure(code);
    const rootValue = operation?.operation === OperationTypeNode.MUTATION ? this.mutations() : this.queries();
    return await execute({ schema: this.schema, document, variableValues: variables, rootValue });
  }

  subscribe(query: string, variables: Record<string, unknown>) {
    return subscribe({
      schema: this.schema,
      document: parse(query),
      variableValues: variables,
      rootValue: {
        alarms: () =>
          this.alarmItems.listen(
            this.active().map((alarm) => ({
              alarms: { alarm: { ...alarm }, seq: this.seq++, snapshot: true, resync: false },
            })),
          ),
        predictions: () => this.predictionItems.listen(),
        telemetry: () => this.telemetryItems.listen(),
      },
    });
  }

  private active(): Alarm[] {
    return this.alarms.filter((alarm) => alarm.status !== 'RESOLVED');
  }

  private viewer() {
    return {
      user: {
        __typename: 'User',
        id: 'user-1',
        fullName: 'Mira Halvorsen',
        email: 'mira@example.com',
        locale: null,
      },
      tenant: {
        __typename: 'Tenant',
        id: 'tenant-1',
        code: 'north',
        name: 'North Water',
        timeZone: 'UTC',
        currency: 'EUR',
      },
      role: this.permissions.includes('rules:write') ? 'ENGINEER' : 'VIEWER',
      permissions: this.permissions,
    };
  }

  private session() {
    const accessToken = `access-${++this.token}`;
    this.valid.add(accessToken);
    return { accessToken, expiresIn: 900, refreshToken: null, viewer: this.viewer() };
  }

  /** Lets in whoever has the token of a letter and a password that is long enough. */
  private enter({ token, password }: { token: string; password: string }) {
    const userErrors = [];
    if (token !== 'letter-1') userErrors.push({ field: 'input.token', message: 'The link has been used.' });
    if (password.length < 10)
      userErrors.push({ field: 'input.password', message: 'A password has 10-256 characters.' });
    this.signedIn = userErrors.length === 0;
    return { session: this.signedIn ? this.session() : null, tenantCode: null, userErrors };
  }

  private withAlarms(asset: Asset) {
    const own = this.active().filter((alarm) => alarm.asset.id === asset.id);
    const worst = Math.max(-1, ...own.map((alarm) => ranks.indexOf(alarm.severity)));
    return {
      ...asset,
      activeAlarmCount: own.length,
      worstSeverity: ranks[worst] ?? null,
      latestPrediction: this.predictionsMade.find((one) => one.assetId === asset.id) ?? null,
    };
  }

  private queries() {
    const find = (id: string) => {
      const asset = this.assets.find((one) => one.id === id);
      return asset ? this.withAlarms(asset) : null;
    };
    return {
      node: ({ id }: { id: string }) =>
        this.alarms.find((one) => one.id === id) ??
        this.rules.find((one) => one.id === id && !one.deleted) ??
        find(id),
      parameters: () => page(parameters),
      faultTypes: () => page(faultTypes),
      sites: () => page(sites),
      asset: ({ id }: { id: string }) => find(id),
      assets: ({
        filter,
        orderBy,
        ...args
      }: PageArgs & { filter?: AssetFilterArgs; orderBy?: { field: string; direction: string } }) => {
        const found = this.assets
          .map((asset) => this.withAlarms(asset))
          .filter(
            (asset) =>
              (!filter?.search ||
                `${asset.code} ${asset.name}`.toLowerCase().includes(filter.search.toLowerCase())) &&
              (!filter?.types || filter.types.includes(asset.type)) &&
              (!filter?.criticalities || filter.criticalities.includes(asset.criticality)) &&
              (!filter?.siteId || asset.site.id === filter.siteId) &&
              (filter?.hasActiveAlarm === undefined || asset.activeAlarmCount > 0 === filter.hasActiveAlarm),
          );
        const rank = (asset: (typeof found)[number]) => ranks.indexOf(asset.worstSeverity as Severity);
        if (orderBy?.field === 'NAME') found.sort((a, b) => a.name.localeCompare(b.name));
        if (orderBy?.field === 'ALARMS') found.sort((a, b) => rank(a) - rank(b));
        if (orderBy?.direction === 'DESC') found.reverse();
        return page(found, args);
      },
      dashboard: ({ siteId }: { siteId?: string | null }) => {
        const mine = this.assets.filter((asset) => !siteId || asset.site.id === siteId);
        const active = this.active().filter((alarm) => !siteId || alarm.site.id === siteId);
        const alarmed = mine.map((asset) => this.withAlarms(asset)).filter((asset) => asset.worstSeverity);
        return {
          assetCount: mine.length,
          reportingAssetCount: mine.length - 1,
          assetsInAlarm: alarmed.length,
          unacknowledgedCount: active.filter((one) => one.status === 'OPEN' || one.status === 'CLEARED')
            .length,
          activeAlarms: [...ranks].reverse().map((severity) => ({
            severity,
            count: active.filter((one) => one.severity === severity).length,
          })),
          worstAssets: alarmed
            .sort((a, b) => ranks.indexOf(b.worstSeverity!) - ranks.indexOf(a.worstSeverity!))
            .slice(0, 10),
          latestAbnormal: [],
        };
      },
      alarmEvents: ({ filter, ...args }: PageArgs & { filter?: AlarmFilterArgs }) =>
        page(
          this.alarms.filter(
            (one) =>
              (!filter?.statuses || filter.statuses.includes(one.status)) &&
              (!filter?.activeOnly || one.status !== 'RESOLVED') &&
              (!filter?.severities || filter.severities.includes(one.severity)) &&
              (!filter?.siteId || one.site.id === filter.siteId) &&
              (!filter?.assetId || one.asset.id === filter.assetId),
          ),
          args,
        ),
      alarmRules: ({ filter, ...args }: PageArgs & { filter?: { search?: string; isActive?: boolean } }) =>
        page(
          this.rules.filter(
            (one) =>
              !one.deleted &&
              (!filter?.search || one.name.toLowerCase().includes(filter.search.toLowerCase())) &&
              (filter?.isActive === undefined || one.isActive === filter.isActive),
          ),
          args,
        ),
      predictions: ({
        scope,
        filter,
      }: {
        scope?: { assetId?: string };
        filter?: { onlyAbnormal?: boolean };
      }) =>
        page(
          this.predictionsMade.filter(
            (one) =>
              (!scope?.assetId || one.assetId === scope.assetId) &&
              (!filter?.onlyAbnormal || one.code !== 'normal'),
          ),
        ),
      telemetry: ({ scope, after }: { scope: { assetId?: string }; after?: string }) => {
        const asset = this.assets.find((one) => one.id === scope.assetId)!;
        const end = after ? Number(after) : Math.floor(Date.now() / 1000);
        const nodes = Array.from({ length: 100 }, (_, back) => makeReading(asset, end - back));
        return {
          nodes,
          pageInfo: { hasNextPage: true, hasPreviousPage: false, endCursor: String(end - 100) },
        };
      },
    };
  }

  private mutations() {
    const need = (permission: string) => {
      if (!this.permissions.includes(permission))
        throw new GraphQLError('no', { extensions: { code: 'FORBIDDEN' } });
    };
    const blame = (field: string) => this.userErrors.get(field) ?? [];
    const onAlarm =
      (field: string, act: (alarm: Alarm, input: Args['input']) => void) =>
      ({ input }: Args) => {
        need('alarms:acknowledge');
        const errors = blame(field);
        const alarm = this.alarms.find((one) => one.id === input.id);
        if (errors.length > 0 || !alarm) return { alarm: null, userErrors: errors };
        act(alarm, input);
        this.change(alarm);
        return { alarm: { ...alarm }, userErrors: [] };
      };
    const step = (alarm: Alarm, to: Alarm['status'], note: string | null) => {
      const at = new Date().toISOString();
      alarm.transitions = [
        ...alarm.transitions,
        { seq: this.seq, from: alarm.status, to, note, at, by: this.viewer().user },
      ];
      alarm.status = to;
    };
    const ruleOf = (id: string) => this.rules.find((one) => one.id === id)!;
    const references = (input: Record<string, unknown>) => ({
      site: sites.find((one) => one.id === input.siteId) ?? null,
      asset: this.assets.find((one) => one.id === input.assetId) ?? null,
      sensor: null,
    });
    return {
      login: ({ input }: { input: { email: string; password: string } }) => {
        if (input.password !== 'correct horse') {
          const error = {
            field: null,
            message: 'The address or the password is wrong.',
            code: 'BAD_USER_INPUT',
          };
          return { session: null, userErrors: [error] };
        }
        this.signedIn = true;
        return { session: this.session(), userErrors: [] };
      },
      acceptInvite: ({ input }: { input: { token: string; password: string; fullName: string } }) =>
        this.enter(input),
      resetPassword: ({ input }: { input: { token: string; password: string } }) => this.enter(input),
      requestPasswordReset: () => ({ ok: true, userErrors: [] }),
      refreshToken: () => {
        if (!this.signedIn) throw new GraphQLError('no session', { extensions: { code: 'UNAUTHENTICATED' } });
        return { session: this.session(), userErrors: [] };
      },
      logout: () => {
        this.signedIn = false;
        return { ok: true, userErrors: [] };
      },
      acknowledgeAlarm: onAlarm('acknowledgeAlarm', (alarm) => {
        alarm.acknowledgedAt = new Date().toISOString();
        step(alarm, alarm.status === 'CLEARED' ? 'RESOLVED' : 'ACKNOWLEDGED', null);
      }),
      resolveAlarm: onAlarm('resolveAlarm', (alarm, input) => {
        alarm.correctionPlan = input.correctionPlan;
        alarm.resolvedAt = new Date().toISOString();
        step(alarm, 'RESOLVED', String(input.correctionPlan));
      }),
      createAlarmRule: ({ input }: Args) => {
        need('rules:write');
        const errors = blame('createAlarmRule');
        if (errors.length > 0) return { rule: null, userErrors: errors };
        const rule = makeRule({ ...input, id: `rule-${this.seq++}`, ...references(input) });
        this.rules.push(rule);
        return { rule, userErrors: [] };
      },
      updateAlarmRule: ({ input }: Args) => {
        need('rules:write');
        const rule = ruleOf(input.id);
        const errors = blame('updateAlarmRule');
        if (errors.length > 0) return { rule: null, userErrors: errors };
        if (input.expectedVersion !== rule.version) {
          const error = { field: 'input.expectedVersion', message: 'Changed meanwhile.', code: 'CONFLICT' };
          return { rule: null, userErrors: [error] };
        }
        const { expectedVersion: _, ...changes } = input;
        Object.assign(rule, changes, { version: rule.version + 1 });
        return { rule: { ...rule }, userErrors: [] };
      },
      deleteAlarmRule: ({ input }: Args) => {
        need('rules:write');
        ruleOf(input.id).deleted = true;
        return { rule: null, userErrors: [] };
      },
      restoreAlarmRule: ({ input }: Args) => {
        need('rules:write');
        ruleOf(input.id).deleted = false;
        return { rule: ruleOf(input.id), userErrors: [] };
      },
      createAsset: ({ input }: Args) => {
        need('plant:write');
        const errors = blame('createAsset');
        if (errors.length > 0) return { asset: null, userErrors: errors };
        const asset = {
          ...makeAsset(0),
          sensors: [],
          ...input,
          id: `asset-${input.code as string}`,
        } as Asset;
        asset.site = sites.find((one) => one.id === input.siteId)!;
        this.assets.push(asset);
        return { asset, userErrors: [] };
      },
      updateAsset: ({ input }: Args) => {
        need('plant:write');
        const asset = this.assets.find((one) => one.id === input.id)!;
        if (input.expectedVersion !== asset.version) {
          const error = { field: 'input.expectedVersion', message: 'Changed meanwhile.', code: 'CONFLICT' };
          return { asset: null, userErrors: [error] };
        }
        const { expectedVersion: _, ...changes } = input;
        Object.assign(asset, changes, { version: asset.version + 1 });
        return { asset, userErrors: [] };
      },
    };
  }
}

interface PageArgs {
  first?: number;
  after?: string | null;
}

interface AssetFilterArgs {
  search?: string;
  types?: string[];
  criticalities?: string[];
  siteId?: string;
  hasActiveAlarm?: boolean;
}

interface AlarmFilterArgs {
  statuses?: string[];
  activeOnly?: boolean;
  severities?: string[];
  siteId?: string;
  assetId?: string;
}

/** What needs no access token. */
const openToAll = new Set([
  'Login',
  'RefreshToken',
  'Logout',
  'AcceptInvite',
  'ResetPassword',
  'RequestPasswordReset',
]);

function failure(code: string): ExecutionResult {
  return { errors: [new GraphQLError('refused', { extensions: { code, requestId: 'req-1' } })] };
}

function page<T>(items: T[], { first = 100, after }: PageArgs = {}) {
  const start = after ? Number(after) : 0;
  const nodes = items.slice(start, start + first);
  return {
    nodes,
    edges: nodes.map((node, i) => ({ node, cursor: String(start + i + 1) })),
    totalCount: items.length,
    pageInfo: {
      hasNextPage: start + first < items.length,
      hasPreviousPage: start > 0,
      startCursor: nodes.length > 0 ? String(start + 1) : null,
      endCursor: nodes.length > 0 ? String(start + nodes.length) : null,
    },
  };
}

/** A world with a few alarms and rules in it. */
export function furnishedWorld(schemaText: string, assetCount = 12): World {
  const world = new World(schemaText, assetCount);
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  const [pump, motor, fan] = world.assets as [Asset, Asset, Asset];
  world.rules = [
    makeRule(),
    makeRule({ name: 'Any fault', parameter: 'confidence', threshold: 0.6, severity: 'MEDIUM' }),
  ];
  world.alarms = [
    makeAlarm(pump, { severity: 'CRITICAL', triggeredAt: minutesAgo(4) }),
    makeAlarm(motor, {
      severity: 'MEDIUM',
      status: 'ACKNOWLEDGED',
      triggeredAt: minutesAgo(40),
      faultCode: null,
      faultLabel: null,
      prediction: null,
      ruleName: 'High vibration',
      parameter: 'vibration_rms',
      triggeredValue: 7.42,
    }),
    makeAlarm(fan, { severity: 'LOW', status: 'CLEARED', triggeredAt: minutesAgo(190) }),
  ];
  return world;
}
