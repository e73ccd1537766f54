import { graphql } from '@/shared/graph/tada';
import { viewerFragment, type Entry } from '@/shared/session/session';
import type { Session } from '@/shared/session/session';

const acceptDocument = graphql(
  `
    mutation AcceptInvite($input: AcceptInviteInput!) {
      acceptInvite(input: $input) {
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
        }
      }
    }
  `,
  [viewerFragment],
);

const resetDocument = graphql(
  `
    mutation ResetPassword($input: ResetPasswordInput!) {
      resetPassword(input: $input) {
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
        }
      }
    }
  `,
  [viewerFragment],
);

const requestDocument = graphql(`
  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) {
      ok
      userErrors {
        field
        message
      }
    }
  }
`);

/** What a person who is not signed in can come for besides signing in. */
export type LetterKind = 'invite' | 'welcome' | 'reset' | 'forgot';

/** The addresses that letters link to, and the page that asks for one. */
export const letterAddresses: Record<string, LetterKind> = {
  '/accept-invite': 'invite',
  '/welcome': 'welcome',
  '/reset-password': 'reset',
  '/forgot-password': 'forgot',
};

/** What can be asked of the person; what a kind does not ask for is empty. */
export type Typed = Record<'fullName' | 'password' | 'email', string>;

/** What each kind asks for. */
export const fieldsOf: Record<LetterKind, readonly (keyof Typed)[]> = {
  invite: ['fullName', 'password'],
  welcome: ['password'],
  reset: ['password'],
  forgot: ['email'],
};

/** Sends what was typed with the token of the letter. Returns what to mend. */
export async function answerLetter(
  session: Session,
  kind: LetterKind,
  token: string,
  { fullName, password, email }: Typed,
): Promise<Entry['userErrors']> {
  const input = { token, password, useCookie: true };
  switch (kind) {
    case 'invite':
      return session.enter(
        acceptDocument,
        { input: { ...input, fullName } },
        (result) => result.acceptInvite,
      );
    case 'welcome':
    case 'reset':
      return session.enter(resetDocument, { input }, (result) => result.resetPassword);
    case 'forgot':
      return session.enter(requestDocument, { input: { email } }, (result) => result.requestPasswordReset);
  }
}
