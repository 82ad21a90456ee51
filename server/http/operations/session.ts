/** `/v1/session` and `/v1/setup`: people at the console. */
import type { z } from 'zod';
import { type ConsoleSession, idleEndMs } from '../../users/console-session.ts';
import type { PasswordSetting } from '../../users/set-password.ts';
import type { SignIn } from '../../users/sign-in.ts';
import type { Account } from '../../users/user.ts';
import type { UserStore } from '../../users/user-store.ts';
import type { SignedIn } from '../../users/visitor.ts';
import { assertOwnOrigin, personOf, signedInHeaders, signedOutHeaders, visitorOf } from '../console-session.ts';
import { type Answer, callerOperation, type Operation, publicOperation } from '../operation.ts';
import { Problem } from '../problem.ts';
import {
  changePasswordSchema,
  consoleSessionSchema,
  setUpSchema,
  signInSchema,
  toMembershipJson,
  toTime,
  toUserJson,
} from '../user-schemas.ts';

const tag = 'Console session';
const PATH = '/session';

export function createSessionOperations({
  signIn,
  passwordSetting,
  users,
  issuer,
}: {
  readonly signIn: SignIn;
  readonly passwordSetting: PasswordSetting;
  readonly users: Pick<UserStore, 'find' | 'membershipsOf'>;
  readonly issuer: string;
}): readonly Operation[] {
  async function toJson(session: ConsoleSession, account: Account): Promise<z.infer<typeof consoleSessionSchema>> {
    const memberships = await users.membershipsOf(account.id);
    return {
      user: { ...toUserJson(account), permissions: [...account.permissions] },
      memberships: memberships.map(toMembershipJson),
      created_at: toTime(session.createdAtMs),
      idle_ends_at: toTime(idleEndMs(session)),
      ends_at: toTime(session.expiresAtMs),
    };
  }

  async function answerSignedIn(signedIn: SignedIn): Promise<Answer> {
    const account = await users.find(signedIn.session.userId);
    if (account === null) throw new Problem('unauthenticated', 'the user has been deleted');
    const body = await toJson(signedIn.session, account);
    return { status: 201, headers: signedInHeaders(signedIn), body };
  }

  const begin = publicOperation({
    id: 'signIn',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Sign in with e-mail address and password',
    description: 'Sets the cookie `__Host-keyturn`. The request must carry the Origin of Keyturn itself.',
    body: signInSchema,
    answers: { 201: consoleSessionSchema },
    problems: ['sign_in_failed', 'sign_in_locked', 'origin_not_allowed', 'too_many_requests'],
    async handle({ request, body }) {
      assertOwnOrigin(request, issuer);
      return answerSignedIn(await signIn.signIn(body, visitorOf(request)));
    },
  });

  const setUp = publicOperation({
    id: 'setUp',
    method: 'POST',
    path: '/setup',
    tag,
    summary: 'Set a password by an invitation, and sign in',
    description: 'Uses the link up, and ends all other sessions of the user.',
    body: setUpSchema,
    answers: { 201: consoleSessionSchema },
    problems: ['setup_link_spent', 'email_taken', 'origin_not_allowed', 'too_many_requests'],
    async handle({ request, body }) {
      assertOwnOrigin(request, issuer);
      const { token, password, name = null, email = null } = body;
      return answerSignedIn(await passwordSetting.setUp({ token, password, name, email }, visitorOf(request)));
    },
  });

  const show = callerOperation({
    id: 'getSession',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'Who is signed in, and until when',
    answers: { 200: consoleSessionSchema },
    async handle({ request }) {
      const { session, account } = personOf(request);
      return { status: 200, body: await toJson(session, account) };
    },
  });

  const end = callerOperation({
    id: 'signOut',
    method: 'DELETE',
    path: PATH,
    tag,
    summary: 'Sign out',
    answers: { 204: null },
    problems: ['origin_not_allowed'],
    async handle({ request }) {
      await signIn.signOut(personOf(request).session, visitorOf(request));
      return { status: 204, headers: signedOutHeaders };
    },
  });

  const changePassword = callerOperation({
    id: 'changePassword',
    method: 'PUT',
    path: `${PATH}/password`,
    tag,
    summary: 'Change the own password, and end all other sessions',
    body: changePasswordSchema,
    answers: { 204: null },
    problems: ['sign_in_locked', 'origin_not_allowed', 'too_many_requests'],
    async handle({ request, body }) {
      const { session, account } = personOf(request);
      const passwords = { current: body.current_password, next: body.new_password };
      await passwordSetting.change(account, session, passwords, visitorOf(request));
      return { status: 204 };
    },
  });

  return [begin, setUp, show, end, changePassword];
}
