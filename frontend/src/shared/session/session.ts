import type { TadaDocumentNode } from 'gql.tada';
import { graphql, type ResultOf } from '../graph/tada';
import { post, Unreachable } from './post';
import { print } from './print';

export const viewerFragment = graphql(`
  fragment ViewerFields on Viewer {
    user {
      id
      fullName
      email
      locale
    }
    tenant {
      id
      code
      name
      timeZone
      currency
    }
    role
    permissions
  }
`);

const loginDocument = graphql(
  `
    mutation Login($input: LoginInput!) {
      login(input: $input) {
        session {
          accessToken
          expiresIn
          viewer {
            ...ViewerFields
          }
        }
        userErrors {
          field
          message
          code
        }
      }
    }
  `,
  [viewerFragment],
);

const refreshDocument = graphql(
  `
    mutation RefreshToken($input: RefreshTokenInput!) {
      refreshToken(input: $input) {
        session {
          accessToken
          expiresIn
          viewer {
            ...ViewerFields
          }
        }
        userErrors {
          message
          code
        }
      }
    }
  `,
  [viewerFragment],
);

const logoutDocument = graphql(`
  mutation Logout($input: LogoutInput!) {
    logout(input: $input) {
      ok
    }
  }
`);

export type Viewer = ResultOf<typeof viewerFragment>;
type SessionData = NonNullable<ResultOf<typeof refreshDocument>['refreshToken']['session']>;

/**
 * restoring: asking whether the cookie still holds a session.
 * unreachable: that question got no answer.
 * signedOut: nobody is there. active: somebody is.
 * expired: somebody was, and the page waits for the password.
 */
export type SessionState =
  | { phase: 'restoring' | 'unreachable' | 'signedOut'; viewer: null }
  | { phase: 'active' | 'expired'; viewer: Viewer };

/** What the person has to mend in order to sign in. */
export interface SignInError {
  field: 'email' | 'password' | 'tenantCode' | null;
  message: string;
}

/** What a mutation answers that lets somebody in, or does not. */
export interface Entry {
  session?: SessionData | null;
  userErrors: { field?: string | null; message: string }[];
}

/** Seconds before its end at which an access token counts as ended. */
const LEEWAY = 15;

/**
 * Session keeps the access token in memory and renews it with the httpOnly cookie.
 * Renewals are single: within the page by sharing the promise, over all tabs by a
 * lock, because a refresh token that is used twice ends its whole family.
 */
export class Session {
  private state: SessionState = { phase: 'restoring', viewer: null };
  private token: string | null = null;
  private endsAt = 0;
  private renewal: Promise<boolean> | null = null;
  private waiting: (() => void)[] = [];
  private listeners = new Set<() => void>();

  constructor(private readonly language: () => string) {}

  getState = (): SessionState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  accessToken(): string | null {
    return this.token;
  }

  /** Reports whether the token is too old to be sent. */
  isStale(): boolean {
    return this.state.phase === 'active' && Date.now() > this.endsAt - LEEWAY * 1000;
  }

  /** Makes the next use renew the token: the server has refused it. */
  invalidate(): void {
    this.endsAt = 0;
  }

  /** Asks for the session of the cookie, once at the start. */
  async restore(): Promise<void> {
    this.set({ phase: 'restoring', viewer: null });
    try {
      if (!(await this.renew())) this.set({ phase: 'signedOut', viewer: null });
    } catch {
      this.set({ phase: 'unreachable', viewer: null });
    }
  }

  /**
   * Returns when there is a fresh token. When the session is over it waits until the
   * person has signed in again, so that what was under way goes on instead of failing.
   * Rejects with Unreachable when the server does not answer.
   */
  async ensureFresh(): Promise<void> {
    if (this.state.phase === 'active' && !this.isStale()) return;
    if (this.state.phase !== 'expired' && (await this.renew())) return;
    if (this.state.phase === 'active') this.set({ phase: 'expired', viewer: this.state.viewer });
    if (this.state.phase !== 'expired') return;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Returns what to mend, or null when the person is in. Rejects with Unreachable. */
  async signIn(email: string, password: string, tenantCode?: string): Promise<SignInError | null> {
    const input = { email, password, useCookie: true, ...(tenantCode ? { tenantCode } : {}) };
    const [blame] = await this.enter(loginDocument, { input }, (result) => result.login);
    if (!blame) return null;
    const field = blame.field?.split('.').pop();
    const known = field === 'email' || field === 'password' || field === 'tenantCode';
    return { field: known ? field : null, message: blame.message };
  }

  /**
   * Sends a mutation that may begin a session, which is taken up then. Returns what to
   * mend, nothing when all went well. Rejects with Unreachable.
   */
  async enter<Result, Variables>(
    document: TadaDocumentNode<Result, Variables>,
    variables: Variables,
    entryOf: (result: Result) => Entry,
  ): Promise<Entry['userErrors']> {
    const answer = await post<Result>(print(document), variables as Record<string, unknown>, this.headers());
    if (answer.data) {
      const entry = entryOf(answer.data);
      if (entry.session) this.accept(entry.session);
      return entry.userErrors;
    }
    const error = answer.errors?.[0];
    if (error) return [{ field: null, message: error.message }];
    throw new Unreachable('empty answer');
  }

  async signOut(): Promise<void> {
    try {
      await post(print(logoutDocument), { input: {} }, this.headers());
    } finally {
      this.token = null;
      this.set({ phase: 'signedOut', viewer: null });
    }
  }

  /** Asks once, past the cache: for what is many and looked at once. Rejects on any error. */
  async ask<Result, Variables extends object>(
    document: TadaDocumentNode<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    await this.ensureFresh();
    const answer = await post<Result>(
      print(document),
      { ...variables } as Record<string, unknown>,
      this.headers(),
    );
    if (answer.data && !answer.errors) return answer.data;
    throw new Error(answer.errors?.[0]?.message ?? 'empty answer');
  }

  private renew(): Promise<boolean> {
    this.renewal ??= exclusively(() => this.askForRenewal()).finally(() => {
      this.renewal = null;
    });
    return this.renewal;
  }

  private async askForRenewal(): Promise<boolean> {
    const answer = await post<ResultOf<typeof refreshDocument>>(
      print(refreshDocument),
      { input: {} },
      this.headers(),
    );
    const session = answer.data?.refreshToken.session;
    if (session) {
      this.accept(session);
      return true;
    }
    const code = answer.errors?.[0]?.extensions?.code;
    if (answer.errors && code !== 'UNAUTHENTICATED' && code !== 'FORBIDDEN') {
      throw new Unreachable(code ?? 'refused');
    }
    return false;
  }

  private accept(session: SessionData): void {
    this.token = session.accessToken;
    this.endsAt = Date.now() + session.expiresIn * 1000;
    this.set({ phase: 'active', viewer: session.viewer });
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private headers(): Record<string, string> {
    const headers: Record<string, string> = { 'accept-language': this.language() };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    return headers;
  }

  private set(next: SessionState): void {
    this.state = next;
    for (const listener of this.listeners) listener();
  }
}

/** Runs one renewal at a time over all tabs, where the browser has locks (secure contexts). */
function exclusively<T>(run: () => Promise<T>): Promise<T> {
  const locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  return locks ? locks.request('foresight-session', run) : run();
}
