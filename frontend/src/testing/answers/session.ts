import { GraphQLError } from 'graphql';
import type { World } from '../world';

/** The operations that need no access token. */
export const openToAll = new Set([
  'Login',
  'RefreshToken',
  'Logout',
  'AcceptInvite',
  'ResetPassword',
  'RequestPasswordReset',
]);

export function viewer({ permissions }: World) {
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
    role: permissions.includes('rules:write') ? 'ENGINEER' : 'VIEWER',
    permissions,
  };
}

/** What signing in and out does: by password, by the cookie, and by the token of a letter. */
export function sessionMutations(world: World) {
  const session = () => ({
    accessToken: world.issueToken(),
    expiresIn: 900,
    refreshToken: null,
    viewer: viewer(world),
  });
  /** Lets in whoever has the token of a letter and a password that is long enough. */
  const enter = ({ input: { token, password } }: { input: { token: string; password: string } }) => {
    const userErrors = [];
    if (token !== 'letter-1') userErrors.push({ field: 'input.token', message: 'The link has been used.' });
    if (password.length < 10)
      userErrors.push({ field: 'input.password', message: 'A password has 10-256 characters.' });
    world.signedIn = userErrors.length === 0;
    return { session: world.signedIn ? session() : null, tenantCode: null, userErrors };
  };
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
      world.signedIn = true;
      return { session: session(), userErrors: [] };
    },
    acceptInvite: enter,
    resetPassword: enter,
    requestPasswordReset: () => ({ ok: true, userErrors: [] }),
    refreshToken: () => {
      if (!world.signedIn) throw new GraphQLError('no session', { extensions: { code: 'UNAUTHENTICATED' } });
      return { session: session(), userErrors: [] };
    },
    logout: () => {
      world.signedIn = false;
      return { ok: true, userErrors: [] };
    },
  };
}
