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
import { alarmMutations } from './answers/alarms';
import { assetMutations } from './answers/assets';
import { feedbackMutations, type Said } from './answers/feedback';
import { queries } from './answers/queries';
import { ruleMutations } from './answers/rules';
import { openToAll, sessionMutations } from './answers/session';
import { Broadcast } from './channel';
import { makeAsset, makeReading, type Alarm, type Asset, type Prediction, type Rule } from './plant';

const allPermissions = [
  'alarms:acknowledge',
  'rules:write',
  'plant:write',
  'predictions:write',
  'alarms:read',
  'plant:read',
];

interface UserErrorData {
  field: string | null;
  message: string;
  code: string;
}

/**
 * World answers the real schema from memory: documents are parsed, validated and
 * executed as the server would, so a query that the schema does not know fails a test.
 * It holds what is so; what is said of it and done to it stands in `answers`.
 */
export class World {
  private schema;
  assets: Asset[];
  alarms: Alarm[] = [];
  rules: Rule[] = [];
  /** Parts of the system that do not work. */
  down: { name: string; state: string; message: string; since: string }[] = [];
  predictionsMade: Prediction[] = [];
  /** What people said of predictions, by their ids. */
  said = new Map<string, Said>();
  permissions = allPermissions;
  /** The cookie holds a session. */
  signedIn = true;
  /** Every operation that came, in order. */
  log: { name: string; variables: Record<string, unknown>; headers: Headers }[] = [];
  /** Answers a mutation with these user errors, by field name, until removed. */
  userErrors = new Map<string, UserErrorData[]>();
  /** Fails an operation with this code, by operation name, until removed. */
  failures = new Map<string, string>();
  private issued = 0;
  private valid = new Set<string>();
  private seq = 1;
  readonly alarmItems = new Broadcast<unknown>();
  readonly predictionItems = new Broadcast<unknown>();
  readonly telemetryItems = new Broadcast<unknown>();

  constructor(schemaText: string, assetCount = 12) {
    this.schema = buildSchema(schemaText);
    this.assets = Array.from({ length: assetCount }, (_, index) => makeAsset(index));
  }

  /** A further access token, good until it expires. */
  issueToken(): string {
    const token = `access-${++this.issued}`;
    this.valid.add(token);
    return token;
  }

  /** Refuses every access token given out so far. */
  expireTokens(): void {
    this.valid.clear();
  }

  accepts(authorization: string | null): boolean {
    return authorization !== null && this.valid.has(authorization.replace('Bearer ', ''));
  }

  /** The user errors that a test wants of a mutation. */
  blame(field: string): UserErrorData[] {
    return this.userErrors.get(field) ?? [];
  }

  active(): Alarm[] {
    return this.alarms.filter((alarm) => alarm.status !== 'RESOLVED');
  }

  raise(alarm: Alarm): Alarm {
    this.alarms.unshift(alarm);
    this.change(alarm);
    return alarm;
  }

  /** Tells of a change that has been made to an alarm. */
  change(alarm: Alarm): void {
    this.alarmItems.send(this.alarmItem(alarm, false));
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
    const rootValue =
      operation?.operation === OperationTypeNode.MUTATION
        ? {
            ...sessionMutations(this),
            ...alarmMutations(this),
            ...ruleMutations(this),
            ...assetMutations(this),
            ...feedbackMutations(this),
          }
        : queries(this);
    return await execute({ schema: this.schema, document, variableValues: variables, rootValue });
  }

  subscribe(query: string, variables: Record<string, unknown>) {
    return subscribe({
      schema: this.schema,
      document: parse(query),
      variableValues: variables,
      rootValue: {
        alarms: () => this.alarmItems.listen(this.active().map((alarm) => this.alarmItem(alarm, true))),
        predictions: () => this.predictionItems.listen(),
        telemetry: () => this.telemetryItems.listen(),
      },
    });
  }

  private alarmItem(alarm: Alarm, snapshot: boolean) {
    return { alarms: { alarm: { ...alarm }, seq: this.seq++, snapshot, resync: false } };
  }
}

function failure(code: string): ExecutionResult {
  return { errors: [new GraphQLError('refused', { extensions: { code, requestId: 'req-1' } })] };
}
